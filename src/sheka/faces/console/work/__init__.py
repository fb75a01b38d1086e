"""The work queue, notices and the global search."""
