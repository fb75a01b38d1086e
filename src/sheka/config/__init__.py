"""Settings, URLs and WSGI entry of a node's web process."""
