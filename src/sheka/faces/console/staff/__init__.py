"""People, their roles, and the organisations they work in."""
