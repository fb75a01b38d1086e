"""Operation of the node: the calendar of working days, the health of its parts."""
