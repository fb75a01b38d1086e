"""The verbs of the PSAM management."""
