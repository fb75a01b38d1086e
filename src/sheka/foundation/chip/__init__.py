"""The chip of the social security card: profile, codec, virtual card, personalisation (card.md; H3, H4, C1)."""
