"""Jobs: work beside the request, with progress, bounded retries and a screen for what died."""
