"""Audit: the append-only, hash-chained record of what people and processes did (design §2.4)."""
