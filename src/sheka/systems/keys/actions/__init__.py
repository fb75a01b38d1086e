"""The verbs of the key management system."""
