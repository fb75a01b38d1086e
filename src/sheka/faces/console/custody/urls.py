"""Addresses of custody."""

from __future__ import annotations

from django.urls import path, register_converter

from sheka.faces.console.custody.views import carriers, counts, destructions, hand_overs, orders, parties


class CustodyNumberInAddress:
    """What may be a serial, or the number of a paper of custody."""

    regex = "[0-9A-Za-z-]{1,32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


register_converter(CustodyNumberInAddress, "custody")

urlpatterns = [
    path("custody", carriers.carriers, name="custody"),
    path("custody/issue", orders.stock_new, name="custody_issue"),
    path("custody/carriers/<custody:serial>", carriers.carrier, name="custody_carrier"),
    path("custody/carriers/<custody:serial>/<slug:verb>", carriers.carrier_verb, name="custody_carrier_verb"),
    path("custody/places", carriers.places, name="custody_places"),
    path("custody/places/new", carriers.place_new, name="custody_place_new"),
    path("custody/places/<int:number>/close", carriers.place_close, name="custody_place_close"),
    path("custody/orders", orders.orders, name="custody_orders"),
    path("custody/orders/new", orders.order_new, name="custody_order_new"),
    path("custody/orders/<custody:number>", orders.order, name="custody_order"),
    path("custody/orders/<custody:number>/issue", orders.order_issue, name="custody_order_issue"),
    path("custody/hand-overs", hand_overs.hand_overs, name="custody_hand_overs"),
    path("custody/hand-overs/new", hand_overs.hand_over_new, name="custody_hand_over_new"),
    path("custody/hand-overs/<custody:number>", hand_overs.hand_over, name="custody_hand_over"),
    path("custody/hand-overs/<custody:number>/state", hand_overs.hand_over_state, name="custody_hand_over_state"),
    path("custody/hand-overs/<custody:number>/give", hand_overs.hand_over_give, name="custody_hand_over_give"),
    path("custody/hand-overs/<custody:number>/take", hand_overs.hand_over_take, name="custody_hand_over_take"),
    path("custody/hand-overs/<custody:number>/refuse", hand_overs.hand_over_refuse, name="custody_hand_over_refuse"),
    path("custody/hand-overs/<custody:number>/cancel", hand_overs.hand_over_cancel, name="custody_hand_over_cancel"),
    path("custody/counts", counts.counts, name="custody_counts"),
    path("custody/counts/new", counts.count_new, name="custody_count_new"),
    path("custody/counts/<custody:number>", counts.count, name="custody_count"),
    path("custody/counts/<custody:number>/sheet", counts.count_fill, name="custody_count_fill"),
    path("custody/counts/<custody:number>/give-up", counts.count_give_up, name="custody_count_give_up"),
    path("custody/parties", parties.parties, name="custody_parties"),
    path("custody/parties/new", parties.party_new, name="custody_party_new"),
    path("custody/filings", parties.filings, name="custody_filings"),
    path("custody/filings/new", parties.filing_new, name="custody_filing_new"),
    path("custody/parties/<custody:number>", parties.party, name="custody_party"),
    path("custody/parties/<custody:number>/<slug:verb>", parties.party_verb, name="custody_party_verb"),
    path("custody/destructions", destructions.destructions, name="custody_destructions"),
    path("custody/destructions/new", destructions.destruction_new, name="custody_destruction_new"),
    path("custody/destructions/<custody:number>", destructions.destruction, name="custody_destruction"),
    path(
        "custody/destructions/<custody:number>/witness",
        destructions.destruction_witness,
        name="custody_destruction_witness",
    ),
    path(
        "custody/destructions/<custody:number>/close",
        destructions.destruction_close,
        name="custody_destruction_close",
    ),
    path(
        "custody/destructions/<custody:number>/give-up",
        destructions.destruction_give_up,
        name="custody_destruction_give_up",
    ),
]
