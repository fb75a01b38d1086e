"""The verbs on staff: appoint, grant."""
