"""Chips that hold keys for others: the terminals' PSAM and the key carrier cards (K5, K8; ADR 18)."""
