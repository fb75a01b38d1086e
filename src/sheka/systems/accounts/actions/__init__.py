"""The verbs of the account management system (S6): personal accounts and the ledger."""
