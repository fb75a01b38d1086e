"""The transaction management interface (S4): registry, switch, seals."""
