"""Clients of the API: the programs of partners and offices, with their secrets, tokens and limits."""
