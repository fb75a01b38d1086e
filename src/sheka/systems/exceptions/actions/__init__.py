"""The verbs of abnormal transaction processing (S10)."""
