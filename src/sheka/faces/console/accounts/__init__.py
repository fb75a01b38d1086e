"""Accounts: list, page, statements, files of deposits, interest, and what is asked about them (S6)."""
