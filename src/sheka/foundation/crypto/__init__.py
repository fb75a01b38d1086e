"""Cryptography of the card: SM2 SM3 SM4 3DES, MACs, diversification, check values, batches (C1, K1–K3)."""
