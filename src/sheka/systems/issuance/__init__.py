"""S2, the issuance management system: which area may issue which cards, and under which number (I1-I6)."""
