"""The verbs of documents: keep, view, make a paper, void it, dispose of what has been kept long enough."""
