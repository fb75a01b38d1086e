"""Abnormal transaction processing (S10)."""
