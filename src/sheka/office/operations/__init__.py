"""Operation of a node: the calendar of working days, and the health of its parts."""
