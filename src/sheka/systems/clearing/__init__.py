"""Clearing management (S8): windows, files, reconciliation, net."""
