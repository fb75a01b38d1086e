"""The search of transactions: its columns and filters, and its pages by key (console.md §4.2).

A page begins behind the last row of the one before (`?before=20261122-1234`), so the ten-thousandth page costs what the
first one does; nothing is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.filters import Field, Rows, Set, clean
from sheka.faces.console.lists import (
    SIZES,
    Chip,
    Column,
    Days,
    Line,
    Listing,
    Select,
    Stamp,
    Text,
    _head,
    _line,
    _with,
)
from sheka.faces.console.psams.words import choices, said
from sheka.faces.console.templatetags.look import mixed
from sheka.foundation.numbers import mask_card_number
from sheka.foundation.terms import Term
from sheka.office.lists import note_read
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.labels import KINDS
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.queries import (
    at_institution,
    at_terminal,
    transactions_in_reach,
    transactions_of_card,
)
from sheka.systems.transactions.response_codes import RESPONSE_CODES, response_code

APPROVED, REFUSED = Term("批准", "approved"), Term("拒绝", "refused")
LOOKED_BACK = timedelta(days=31)
BARE_DAYS = 3
"""So many days are looked through for what no index leads to: a trace number or reference without terminal, institution
or card, an amount, an answer.
"""
_LED_TO = ("institution", "terminal")
_SELDOM = ("stan", "rrn", "amount_from", "amount_to", "response", "institution", "terminal", "outcome", "kind")


@dataclass(frozen=True, slots=True)
class Amounts:
    """From an amount to an amount, both included, in yuan as people write them; the column holds fen."""

    name: str
    title: str | Promise
    field: str

    def parameters(self) -> tuple[str, ...]:
        return (f"{self.name}_from", f"{self.name}_to")

    def apply(self, rows: Rows, values: Mapping[str, str], actor: Actor) -> tuple[Rows, Set | None]:
        """The rows of these amounts."""
        least, most = self._fen(values, "from"), self._fen(values, "to")
        if least is None and most is None:
            return rows, None
        if least is not None:
            rows = rows.filter(**{f"{self.field}__gte": least})
        if most is not None:
            rows = rows.filter(**{f"{self.field}__lte": most})
        told = " – ".join("…" if fen is None else f"{Decimal(fen) / 100:,.2f}" for fen in (least, most))
        return rows, Set(str(self.title), told, self.parameters())

    def fields(self, values: Mapping[str, str], actor: Actor) -> list[Field]:
        labels = {"from": gettext("Amount from, yuan"), "to": gettext("Amount until, yuan")}
        return [
            Field("text", f"{self.name}_{edge}", labels[edge], clean(values, f"{self.name}_{edge}"))
            for edge in ("from", "to")
        ]

    def _fen(self, values: Mapping[str, str], edge: str) -> int | None:
        try:
            found = Decimal(clean(values, f"{self.name}_{edge}").replace(",", "")) * 100
        except InvalidOperation:
            return None
        return int(found) if found.is_finite() and 0 <= found < 10**14 else None


def _of_card(rows: Rows, value: str, actor: Actor) -> Rows:
    """Through the accounts of its holder: the index that is there. A card that nobody here holds has none."""
    return rows & transactions_of_card(value.upper())


def _of_institution(rows: Rows, value: str, actor: Actor) -> Rows:
    return at_institution(rows, value)


def _of_terminal(rows: Rows, value: str, actor: Actor) -> Rows:
    return at_terminal(rows, value)


def _of_stan(rows: Rows, value: str, actor: Actor) -> Rows:
    return rows.filter(stan=int(value)) if value.isascii() and value.isdigit() and len(value) <= 6 else rows.none()


def _of_response(rows: Rows, value: str, actor: Actor) -> Rows:
    """By the two characters of field 39, or by the four digits of a refusal number."""
    if value == "00":
        return rows.filter(refusal=0)
    if value.isascii() and value.isdigit() and len(value) == 4:
        return rows.filter(refusal=int(value))
    numbers = [code.value for code, response in RESPONSE_CODES.items() if response == value.upper()]
    return rows.filter(refusal__in=numbers)


def _by_outcome(rows: Rows, value: str, actor: Actor) -> Rows:
    return rows.filter(refusal=0) if value == "approved" else rows.exclude(refusal=0)


def address(row: Transaction) -> str:
    """The page of a transaction."""
    return reverse("console:transactions_one", args=[int(f"{row.business_date:%Y%m%d}"), row.id])


def outcome(row: Transaction) -> Stamp:
    """Approved, or refused with its response code."""
    if row.approved:
        return Stamp(said(APPROVED), "good")
    return Stamp(f"{said(REFUSED)} {response_code(row.refusal)}", "stop")


SEARCH = Listing(
    name="transactions",
    title=_("Transactions"),
    lede=_("What terminals asked and what they were answered, the latest first."),
    caption=_("Card numbers are masked; reading the list is recorded."),
    rows=transactions_in_reach,
    default_sort="-at",
    columns=[
        Column(
            "at",
            _("Time of booking"),
            lambda row: row.booked_at,
            sort=("-business_date", "-id"),
            kind="whole",
            link=address,
        ),
        Column("kind", _("Kind"), lambda row: said(KINDS[row.kind]), kind="whole"),
        Column("amount", _("Amount"), lambda row: row.amount, kind="money"),
        Column("outcome", _("Answer"), outcome),
        Column("institution", _("Institution"), lambda row: mixed(row.institution.name)),
        Column("terminal", _("Terminal"), lambda row: row.terminal.number, kind="number"),
        Column("stan", _("Trace number"), lambda row: f"{row.stan:06d}", kind="number"),
        Column("card", _("Card"), lambda row: mask_card_number(row.card_number), kind="number"),
    ],
    filters=[
        Days("day", _("Business date"), "business_date"),
        Select("kind", _("Kind"), choices({str(kind): word for kind, word in KINDS.items()}), "kind"),
        Select("outcome", _("Outcome"), choices({"approved": APPROVED, "refused": REFUSED}), narrow=_by_outcome),
        Text("response", _("Response code or refusal number"), narrow=_of_response),
        Text("institution", _("Institution code"), narrow=_of_institution),
        Text("terminal", _("Terminal number"), narrow=_of_terminal),
        Text("stan", _("Trace number"), narrow=_of_stan),
        Text("rrn", _("Retrieval reference number"), ("rrn",), "exact"),
        Text("card", _("Card number"), narrow=_of_card),
        Amounts("amount", _("Amount"), "amount"),
    ],  # type: ignore[list-item]
    empty_title=_("No transactions"),
    empty_text=_("A transaction appears here when the switch has answered it."),
    personal=True,
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A page of the search: what the template shows. `newer`, `older`: addresses of the neighbours, "" for none."""

    listing: Listing
    heads: list[Any]
    lines: list[Line]
    fields: list[Field]
    chips: list[Chip]
    bare: str
    newest: str
    newer: str
    older: str
    size: int
    sizes: list[tuple[int, str, bool]]
    export: str
    since: date | None


def read_stretch(request: HttpRequest) -> Stretch:
    """The page that the address asks for. Where nothing names a time, rare things are looked for in a month."""
    actor, values = request.actor, {name: clean(request.GET, name) for name in request.GET}
    rows, chosen, since = chosen_rows(values, actor)
    size = next((size for size in SIZES if str(size) == values.get("size")), SEARCH.size)
    found, newer, older = between(rows, values, size)
    note_read(actor, SEARCH.name, {one.title: one.told for one in chosen}, 1, len(found))
    edges: dict[str, Any] = {"before": None, "after": None}
    export = _with(values, export="xlsx", size=None, **edges)
    return Stretch(
        listing=SEARCH,
        heads=[_head(column, {}, "") for column in SEARCH.columns],
        lines=[_line(SEARCH, row) for row in found],
        fields=[field for one in SEARCH.filters for field in one.fields(values, actor)],
        chips=[Chip(one.title, one.told, _with(values, **edges, **dict.fromkeys(one.parameters))) for one in chosen],
        bare="?" if "size" not in values else f"?size={size}",
        newest=_with(values, **edges) if newer else "",
        newer=_with(values, before=None, after=_key(found[0])) if newer and found else "",
        older=_with(values, after=None, before=_key(found[-1])) if older else "",
        size=size,
        sizes=[(one, _with(values, size=one, **edges), one == size) for one in SIZES],
        export=export if found and actor.may(Permission.LIST_EXPORT) else "",
        since=since,
    )


def chosen_rows(values: Mapping[str, str], actor: Actor) -> tuple[Rows, list[Set], date | None]:
    """The rows of a search, what narrows them, and the day since which they are looked for where it names none."""
    rows, chosen, _sort = SEARCH.choose(values, actor)
    named = any(values.get(name) for name in ("day_from", "day_to", "card"))
    if named or not any(values.get(name) for name in _SELDOM):
        return rows, chosen, None
    back = LOOKED_BACK if any(values.get(name) for name in _LED_TO) else timedelta(days=BARE_DAYS - 1)
    since = timezone.localdate() - back
    return rows.filter(business_date__gte=since), chosen, since


def between(rows: Rows, values: Mapping[str, str], size: int) -> tuple[list[Transaction], bool, bool]:
    """The rows of the page, the latest first, and whether there are newer and older ones."""
    after, before = _parsed(values.get("after", "")), _parsed(values.get("before", ""))
    if after:
        upward = rows.filter(_beyond(after, "gt")).order_by("business_date", "id")
        found = list(upward[: size + 1])
        return found[:size][::-1], len(found) > size, True
    if before:
        rows = rows.filter(_beyond(before, "lt"))
    found = list(rows.order_by("-business_date", "-id")[: size + 1])
    return found[:size], before is not None, len(found) > size


def _beyond(key: tuple[date, int], way: str) -> Q:
    """Rows on that side of a key. The plain date prunes the partitions."""
    day, number = key
    same = Q(business_date=day, **{f"id__{way}": number})
    return Q(**{f"business_date__{way}e": day}) & (Q(**{f"business_date__{way}": day}) | same)


def _key(row: Transaction) -> str:
    return f"{row.business_date:%Y%m%d}-{row.id}"


def _parsed(text: str) -> tuple[date, int] | None:
    day, _dash, number = text.partition("-")
    try:
        return datetime.strptime(day, "%Y%m%d").replace(tzinfo=timezone.get_current_timezone()).date(), int(number[:19])
    except ValueError:
        return None
