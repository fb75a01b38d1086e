"""The verbs of the transaction management interface (S4): registry, switch, seals."""
