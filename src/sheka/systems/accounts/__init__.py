"""The account management system (S6): personal accounts and the ledger."""
