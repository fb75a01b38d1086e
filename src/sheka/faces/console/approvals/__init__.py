"""The inbox of approvals and the page of one."""
