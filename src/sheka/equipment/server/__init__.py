"""The server of a node (H1): embedded PostgreSQL, the processes of the node under one supervisor, the node's file."""
