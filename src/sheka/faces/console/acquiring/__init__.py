"""Institutions and terminals: the registry, their tests, where they stand (S4)."""
