"""The lists of custody: stock, orders, hand-overs, counts, third-party files, filings, destructions."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.custody.words import (
    COUNT_TONES,
    DESTRUCTION_TONES,
    ENTRUSTMENT_TONES,
    HAND_OVER_TONES,
    ORDER_TONES,
    carrier_stamp,
    content_words,
    kind_word,
    options,
    place_name,
    stamp,
    titled,
)
from sheka.faces.console.lists import Column, Listing, Select, Stamp, Text
from sheka.faces.console.templatetags.look import named
from sheka.systems.custody import queries
from sheka.systems.custody.labels import (
    COUNT_STATES,
    DESTRUCTION_STATES,
    ENTRUSTMENT_STATES,
    HAND_OVER_STATES,
    KINDS,
    METHODS,
    ORDER_STATES,
    PURPOSES,
    STATES,
)
from sheka.systems.custody.models import Carrier, Entrustment, VendorFiling


def _to(view: str, field: str = "number") -> Any:
    return lambda row: reverse(f"console:{view}", args=[getattr(row, field)])


def whereabouts(row: Carrier) -> str:
    """Where a carrier is: place and person in one's own house, else the organisation."""
    if row.at != row.organisation_id:
        return place_name(row.at)
    parts = [str(row.place) if row.place else "", row.keeper_name]
    return " · ".join(part for part in parts if part) or gettext("not yet put away")


def _clock(row: Entrustment) -> object:
    if row.state == "out" and row.return_by and row.return_by < timezone.localdate():
        return Stamp(gettext("overdue since %(day)s") % {"day": row.return_by}, "stop")
    return row.return_by


def _filing(row: VendorFiling) -> Stamp:
    good = row.valid_to >= timezone.localdate()
    return Stamp(gettext("in force") if good else gettext("ended"), "good" if good else "stop")


CARRIERS = Listing(
    name="carriers",
    title=_("Key carriers"),
    lede=_("Master key cards, key mother cards, transmission key cards and PSAM cards: issued by the ministry only."),
    rows=queries.carriers,
    default_sort="serial",
    columns=[
        Column(
            "serial",
            pgettext_lazy("custody", "Serial"),
            str,
            sort="serial",
            kind="number",
            link=_to("custody_carrier", "serial"),
        ),
        Column("kind", pgettext_lazy("custody", "Kind"), lambda row: kind_word(row.kind), sort="kind"),
        Column("state", _("State"), lambda row: carrier_stamp(row.state), sort="state"),
        Column(
            "where", pgettext_lazy("custody", "Where it is"), whereabouts, sort=("place__parent__name", "place__name")
        ),
        Column("content", pgettext_lazy("custody", "Content"), lambda row: content_words(row.content)),
        Column("batch", pgettext_lazy("custody", "Batch"), lambda row: row.batch, sort="batch", kind="number"),
        Column("since", pgettext_lazy("custody", "Since"), lambda row: row.since, sort="since", kind="whole"),
    ],
    filters=[
        Text("serial", pgettext_lazy("custody", "Serial"), ("serial",), "startswith"),
        Select("kind", pgettext_lazy("custody", "Kind"), options(KINDS), "kind", all=_("All kinds")),
        Select("state", _("State"), options(STATES), "state", all=_("All states")),
        Text("batch", pgettext_lazy("custody", "Batch"), ("batch",), "startswith"),
    ],
    empty_title=_("No carriers"),
    empty_text=_("A carrier appears here when the ministry issued it and it was handed over to here."),
)

ORDERS = Listing(
    name="carrier_orders",
    title=_("Orders of carriers"),
    rows=queries.orders,
    default_sort="-at",
    columns=[
        Column(
            "number",
            pgettext_lazy("custody", "Order"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=_to("custody_order"),
        ),
        Column("origin", pgettext_lazy("custody", "Applicant"), lambda row: place_name(row.origin), sort="origin"),
        Column("kind", pgettext_lazy("custody", "Kind"), lambda row: kind_word(row.kind), sort="kind"),
        Column("count", pgettext_lazy("custody", "Quantity"), lambda row: row.count, sort="count", kind="amount"),
        Column("issued", pgettext_lazy("custody", "Issued"), lambda row: row.issued, kind="amount"),
        Column("state", _("State"), lambda row: stamp(row.state, ORDER_STATES, ORDER_TONES), sort="state"),
        Column("at", pgettext_lazy("custody", "Asked for"), lambda row: row.at, sort="at", kind="whole"),
    ],
    filters=[Select("state", _("State"), options(ORDER_STATES), "state", all=_("All states"))],
    empty_title=_("No orders"),
    empty_text=_("Carriers are ordered from the ministry; nobody else issues any."),
)

HAND_OVERS = Listing(
    name="carrier_hand_overs",
    title=pgettext_lazy("custody", "Hand-overs"),
    lede=_("Giver and receiver, two people, each present in a session of his or her own."),
    rows=queries.hand_overs,
    default_sort="-begun",
    columns=[
        Column(
            "number",
            pgettext_lazy("custody", "Hand-over"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=_to("custody_hand_over"),
        ),
        Column(
            "purpose", pgettext_lazy("custody", "Purpose"), lambda row: titled(PURPOSES[row.purpose]), sort="purpose"
        ),
        Column("count", pgettext_lazy("custody", "Carriers"), lambda row: len(row.items), kind="amount"),
        Column("giver", pgettext_lazy("custody", "Giver"), lambda row: row.giver_name, sort="giver_name"),
        Column(
            "to",
            pgettext_lazy("custody", "To"),
            lambda row: row.receiver_name or row.receiver_called or row.receiver or place_name(row.recipient),
        ),
        Column("state", _("State"), lambda row: stamp(row.state, HAND_OVER_STATES, HAND_OVER_TONES), sort="state"),
        Column("begun", pgettext_lazy("custody", "Begun"), lambda row: row.begun_at, sort="begun_at", kind="whole"),
    ],
    filters=[Select("state", _("State"), options(HAND_OVER_STATES), "state", all=_("All states"))],
    empty_title=_("No hand-overs"),
    empty_text=_("A hand-over appears here when a colleague begins one, or one arrives."),
)

COUNTS = Listing(
    name="carrier_counts",
    title=_("Stock counts"),
    lede=_("Two people count, and neither is shown what should be there. What differs is an incident at once."),
    rows=queries.counts,
    default_sort="-opened",
    columns=[
        Column(
            "number",
            pgettext_lazy("custody", "Count"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=_to("custody_count"),
        ),
        Column("place", pgettext_lazy("custody", "Place"), lambda row: str(row.place), sort="place__name"),
        Column("state", _("State"), lambda row: stamp(row.state, COUNT_STATES, COUNT_TONES), sort="state"),
        Column(
            "missing",
            pgettext_lazy("custody", "Missing"),
            lambda row: len(row.missing) if row.closed_at else None,
            kind="amount",
        ),
        Column(
            "unexpected",
            pgettext_lazy("custody", "Too many"),
            lambda row: len(row.unexpected) if row.closed_at else None,
            kind="amount",
        ),
        Column("opened", pgettext_lazy("custody", "Begun"), lambda row: row.opened_at, sort="opened_at", kind="whole"),
        Column("closed", pgettext_lazy("custody", "Ended"), lambda row: row.closed_at, sort="closed_at", kind="whole"),
    ],
    filters=[Select("state", _("State"), options(COUNT_STATES), "state", all=_("All states"))],
    empty_title=_("No counts"),
    empty_text=_("A count appears here when a custodian begins one."),
)

PARTIES = Listing(
    name="carrier_parties",
    title=pgettext_lazy("custody", "Third parties"),
    lede=_(
        "A carrier goes out only with agreement, approved plan, supervisor and return date, and comes back watched."
    ),
    rows=queries.entrustments,
    default_sort="-created",
    columns=[
        Column(
            "number",
            pgettext_lazy("custody", "File"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=_to("custody_party"),
        ),
        Column("party", pgettext_lazy("custody", "Third party"), lambda row: named(row.party), sort="party__name"),
        Column("purpose", pgettext_lazy("custody", "What for"), lambda row: row.purpose),
        Column("state", _("State"), lambda row: stamp(row.state, ENTRUSTMENT_STATES, ENTRUSTMENT_TONES), sort="state"),
        Column(
            "supervisor",
            pgettext_lazy("custody", "Supervisor"),
            lambda row: row.supervisor.name if row.supervisor else None,
        ),
        Column("back", pgettext_lazy("custody", "Back on"), _clock, sort="return_by", kind="whole"),
        Column(
            "created", pgettext_lazy("custody", "Begun"), lambda row: row.created_at, sort="created_at", kind="whole"
        ),
    ],
    filters=[Select("state", _("State"), options(ENTRUSTMENT_STATES), "state", all=_("All states"))],
    empty_title=_("No carrier is with a third party"),
    empty_text=_("A file is opened before anything goes out."),
)

FILINGS = Listing(
    name="vendor_filings",
    title=_("Filings of suppliers"),
    lede=_("A supplier files with the ministry every two years; without a filing in force it is given no carrier."),
    rows=queries.filings,
    default_sort="-until",
    columns=[
        Column("number", pgettext_lazy("custody", "Filing"), lambda row: row.number, sort="number", kind="number"),
        Column("party", pgettext_lazy("custody", "Supplier"), lambda row: named(row.party), sort="party__name"),
        Column("state", _("State"), _filing),
        Column("filed", pgettext_lazy("custody", "Filed on"), lambda row: row.filed_on, sort="filed_on", kind="whole"),
        Column("until", _("Valid until"), lambda row: row.valid_to, sort="valid_to", kind="whole"),
    ],
    empty_title=_("No filings"),
    empty_text=_("Register the filing of a supplier before a carrier goes to it."),
)

DESTRUCTIONS = Listing(
    name="carrier_destructions",
    title=_("Destruction of carriers"),
    rows=queries.destructions,
    default_sort="-created",
    columns=[
        Column(
            "number",
            pgettext_lazy("custody", "List"),
            lambda row: row.number,
            sort="number",
            kind="number",
            link=_to("custody_destruction"),
        ),
        Column("method", pgettext_lazy("custody", "Method"), lambda row: titled(METHODS[row.method]), sort="method"),
        Column("reason", pgettext_lazy("custody", "Reason"), lambda row: row.reason),
        Column("state", _("State"), lambda row: stamp(row.state, DESTRUCTION_STATES, DESTRUCTION_TONES), sort="state"),
        Column("creator", pgettext_lazy("custody", "Listed by"), lambda row: row.creator.name, sort="creator__name"),
        Column(
            "created", pgettext_lazy("custody", "Begun"), lambda row: row.created_at, sort="created_at", kind="whole"
        ),
        Column("closed", pgettext_lazy("custody", "Ended"), lambda row: row.closed_at, sort="closed_at", kind="whole"),
    ],
    filters=[Select("state", _("State"), options(DESTRUCTION_STATES), "state", all=_("All states"))],
    empty_title=_("Nothing was destroyed"),
    empty_text=_("A list appears here when a custodian makes one; two witnesses confirm it."),
)
