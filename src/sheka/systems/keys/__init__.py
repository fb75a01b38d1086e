"""S1, the key management system: which keys exist at this level, where they came from and where they went (K1-K3)."""
