"""S3, card management and maintenance: people, the right to issue, the life of a card, its exchange (I6, R1-R8)."""
