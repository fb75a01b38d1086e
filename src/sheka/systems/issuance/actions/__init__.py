"""The verbs of issuance management."""
