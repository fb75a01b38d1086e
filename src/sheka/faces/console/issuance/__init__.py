"""Applications to issue and issuer numbers (S2, I1-I3)."""
