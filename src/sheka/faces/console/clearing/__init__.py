"""Clearing days (S8)."""
