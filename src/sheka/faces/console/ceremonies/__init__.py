"""The console's pages about key ceremonies."""
