"""The console's pages about PSAMs."""
