"""Cards and exchanges at the counter (S3, R1-R9)."""
