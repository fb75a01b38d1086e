"""The life of a card, played on real parts: the demonstration of `make run` and the project's first test."""
