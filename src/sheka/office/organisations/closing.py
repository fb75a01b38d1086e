"""What keeps an organisation from being closed: each app says in its module `closing` what it still has there."""

from __future__ import annotations

from collections.abc import Callable

from sheka.foundation.terms import Term

Count = Callable[[str], int]
_obstacles: dict[str, tuple[Term, Count]] = {}


def keeps_open(zh: str, en: str) -> Callable[[Count], Count]:
    """Register a function that counts what an organisation (by its code) still has; nothing of it may be left.

    It runs in the scope of whoever closes.
    """

    def register(count: Count) -> Count:
        _obstacles[f"{count.__module__}.{count.__qualname__}"] = (Term(zh, en), count)
        return count

    return register


def left_open(code: str) -> list[tuple[Term, int]]:
    """What is left, with how many of each."""
    found = ((term, count(code)) for term, count in _obstacles.values())
    return [(term, number) for term, number in found if number]
