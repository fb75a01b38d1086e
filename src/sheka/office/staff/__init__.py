"""Staff: who works where, with which roles, and how they sign in."""
