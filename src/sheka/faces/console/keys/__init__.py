"""Keys by reference and check value (S1, K1-K3)."""
