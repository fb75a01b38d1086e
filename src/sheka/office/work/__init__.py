"""Work: what waits for whom, and notices to people."""
