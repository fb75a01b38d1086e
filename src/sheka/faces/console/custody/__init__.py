"""The console's pages about carriers of keys."""
