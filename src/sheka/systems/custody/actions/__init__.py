"""The verbs of custody: one module each."""
