"""K9: security incidents, emergency plans, and what they freeze."""
