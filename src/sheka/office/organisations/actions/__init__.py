"""The verbs of the tree of organisations."""
