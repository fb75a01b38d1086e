"""Initialisation equipment (H3): personalises chips through any reader, and the drawer of virtual blank chips."""
