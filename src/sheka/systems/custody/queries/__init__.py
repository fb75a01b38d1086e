"""Reading custody: carriers, their chains, hand-overs, counts, third parties; what the other systems ask (K5-K7)."""

from sheka.systems.custody.queries.carriers import Link, carrier, carrier_in_hand, carriers, chain_of, may_see, places
from sheka.systems.custody.queries.counts import count_sheet, counts
from sheka.systems.custody.queries.destructions import destruction, destruction_holds, destructions
from sheka.systems.custody.queries.hand_overs import hand_over, hand_overs
from sheka.systems.custody.queries.orders import order, orders
from sheka.systems.custody.queries.parties import entrustment, entrustments, filings, parties

__all__ = [
    "Link",
    "carrier",
    "carrier_in_hand",
    "carriers",
    "chain_of",
    "count_sheet",
    "counts",
    "destruction",
    "destruction_holds",
    "destructions",
    "entrustment",
    "entrustments",
    "filings",
    "hand_over",
    "hand_overs",
    "may_see",
    "order",
    "orders",
    "parties",
    "places",
]
