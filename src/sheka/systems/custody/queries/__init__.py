"""Reading custody: carriers, their chains, hand-overs, counts, third parties; what the other systems ask (K5-K7)."""

from sheka.systems.custody.queries.carriers import Link, carrier, carrier_in_hand, carriers, chain_of, may_see, places
from sheka.systems.custody.queries.counts import count_sheet, counts
from sheka.systems.custody.queries.destructions import destruction, destruction_holds, destructions
from sheka.systems.custody.queries.hand_overs import hand_over, hand_overs
from sheka.systems.custody.queries.orders import order, orders
from sheka.systems.custody.queries.parties import entrustment, entrustments, filings, parties
from sheka.systems.custody.queries.people import colleagues, kept_with, names_to_receive, receiver_name, recipients

__all__ = [
    "Link",
    "carrier",
    "carrier_in_hand",
    "carriers",
    "chain_of",
    "colleagues",
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
    "kept_with",
    "may_see",
    "names_to_receive",
    "order",
    "orders",
    "parties",
    "places",
    "receiver_name",
    "recipients",
]
