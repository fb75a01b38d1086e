"""The figures of the project, one module a bench; `sheka bench NAME --json` prints one object (issue 2)."""
