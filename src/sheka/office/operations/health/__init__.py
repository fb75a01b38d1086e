"""The health of a node: what each part says of itself, in a word, since when, and what to do (H1)."""
