"""The verbs of card management: one file, one matter."""
