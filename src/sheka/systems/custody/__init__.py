"""K5-K7: the carriers of keys, where each is and in whose hands."""
