"""Django's PostgreSQL backend, with the scope of row-level security carried into every statement."""
