"""The exceptions desk (S10)."""
