"""Organisations: ministry, provinces, cities, outlets and partners in one tree."""
