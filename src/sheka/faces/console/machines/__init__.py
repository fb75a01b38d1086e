"""The console's pages about encryption machines."""
