"""Who still carries a version of the keys: systems above declare how they count, keys ask before a version is retired.

    @counts_use("cards")
    def unexpired_cards(organisation: str, algorithm: Algorithm, version: int, today: date) -> int: ...

in the module `key_uses` of an app, found when the node starts (K1).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sheka.foundation.crypto.algorithms import Algorithm

Counter = Callable[[str, Algorithm, int, date], int]
_counters: dict[str, Counter] = {}


def counts_use(name: str) -> Callable[[Counter], Counter]:
    """Declare a counter. Raises ValueError for a name that is taken."""

    def register(counter: Counter) -> Counter:
        if name in _counters:
            raise ValueError(f"the use {name} is counted already")
        _counters[name] = counter
        return counter

    return register


def in_use(organisation: str, algorithm: Algorithm, version: int, today: date) -> int:
    """How many things of the organisation need this version of the keys on a day."""
    return sum(counter(organisation, algorithm, version, today) for counter in _counters.values())
