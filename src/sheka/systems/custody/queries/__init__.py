"""Reading custody: carriers, their chains, hand-overs, counts, third parties; what the other systems ask (K5-K7)."""

from sheka.systems.custody.queries.carriers import (
    Link,
    carrier,
    carrier_in_hand,
    carriers,
    chain_of,
    may_see,
    places,
)

__all__ = [
    "Link",
    "carrier",
    "carrier_in_hand",
    "carriers",
    "chain_of",
    "may_see",
    "places",
]
