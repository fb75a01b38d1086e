"""The verbs on clients: make, rotate the secret, end."""
