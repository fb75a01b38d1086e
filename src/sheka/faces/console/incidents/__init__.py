"""The console's pages about incidents."""
