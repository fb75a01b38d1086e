"""Clients of the API: who has one, make, rotate the secret, end."""
