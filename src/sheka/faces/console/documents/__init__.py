"""Papers: upload, camera, audited view, receipts and their verify page."""
