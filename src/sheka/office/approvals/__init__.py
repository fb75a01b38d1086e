"""Approvals: a frozen proposal, decided by people who did not write it (design §2.5)."""
