"""K1, K6: key ceremonies, as scripts that several people carry out together."""
