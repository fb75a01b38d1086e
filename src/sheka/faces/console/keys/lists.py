"""The lists of keys, of the catalogue's entries and of consignments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sheka.faces.console.filters import Rows
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text
from sheka.faces.console.places import labels
from sheka.faces.console.templatetags.keys import key_name
from sheka.faces.console.templatetags.look import algorithm
from sheka.faces.console.words import language
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.systems.keys.labels import CONSIGNMENT_STATES, CONSIGNMENT_TONES, KEY_STATES, KEY_TONES, LEVELS
from sheka.systems.keys.models import Consignment, Key
from sheka.systems.keys.queries import consignments_of, keys_of

ALGORITHMS = [(str(one.value), algorithm(one.value)) for one in (Algorithm.SM4, Algorithm.TDES)]
DIRECTIONS = [("sender", pgettext_lazy("keys", "Sent")), ("recipient", pgettext_lazy("keys", "Received"))]
VERSIONS = [(str(number), str(number)) for number in (1, 2, 3)]


def words(terms: Mapping[str, Term], *only: str) -> Callable[[Actor], list[tuple[str, str]]]:
    """The choices of a filter: codes and words of a table of terms, in the language of the page that asks."""
    return lambda actor: [(code, term.text(language())) for code, term in terms.items() if not only or code in only]


def _named(row: Key) -> SafeString:
    return key_name(row.name, row.algorithm, row.version, row.check_value)


def _key_page(row: Key) -> str:
    return reverse("console:keys_one", args=[row.label])


def _state(row: Key) -> Stamp:
    return Stamp(KEY_STATES[row.state].text(language()), KEY_TONES[row.state])


KEYS = Listing(
    name="keys",
    title=_("Keys"),
    lede=_("References and check values only: the keys stay in the encryption machine."),
    rows=lambda actor: keys_of(actor.organisation),
    default_sort="name",
    columns=[
        Column(
            "name",
            pgettext_lazy("keys", "Key"),
            _named,
            sort=("name", "version", "algorithm"),
            kind="whole",
            link=_key_page,
            export=lambda row: row.label,
        ),
        Column("level", _("Root at"), lambda row: LEVELS[row.owner_level].text(language()), sort="owner_level"),
        Column("superior", _("From the superior's"), lambda row: row.parent_check_value, kind="number"),
        Column("state", _("State"), _state, sort="state"),
        Column("since", _("Since"), lambda row: row.since, sort="since", kind="whole"),
    ],
    filters=[
        Select("level", _("Root at"), words(LEVELS, "ministry", "province", "city", "maker", "carrier"), "owner_level"),
        Select("algorithm", _("Algorithm"), ALGORITHMS, "algorithm"),
        Select("version", _("Version"), VERSIONS, "version"),
        Select("state", _("State"), words(KEY_STATES), "state"),
        Text("name", _("Name"), ("name",), "icontains"),
        Days("since", _("Since"), "since", moments=True),
    ],
    empty_title=_("No keys"),
    empty_text=_("Keys appear here when they are planned, generated, or imported from the superior."),
)


def _other_side(rows: list[Consignment], actor: Actor) -> None:
    """The name of the organisation at the other end of each."""
    names = labels({row.sender for row in rows} | {row.recipient for row in rows})
    for row in rows:
        row.way_told = f"{names.get(row.sender, row.sender)} → {names.get(row.recipient, row.recipient)}"  # type: ignore[attr-defined]


def _direction(rows: Rows, value: str, actor: Actor) -> Rows:
    return rows.filter(**{value: actor.organisation})


CONSIGNMENTS = Listing(
    name="consignments",
    title=_("Consignments of sub-keys"),
    lede=_("Sub-keys go down level by level on transmission key cards, sealed for the machine of the recipient."),
    rows=lambda actor: consignments_of(actor.organisation),
    default_sort="-loaded",
    gather=_other_side,
    columns=[
        Column(
            "carrier",
            pgettext_lazy("keys", "Carrier"),
            lambda row: row.carrier or _("over the network"),
            sort="carrier",
            kind="number",
            link=lambda row: reverse("console:keys_consignment", args=[row.number]),
        ),
        Column("way", pgettext_lazy("keys", "Way"), lambda row: row.way_told),
        Column("algorithm", _("Algorithm"), lambda row: algorithm(row.algorithm), sort="algorithm"),
        Column("version", _("Version"), lambda row: row.version, sort="version", kind="amount"),
        Column("count", _("Keys"), lambda row: len(row.content), kind="amount"),
        Column(
            "state",
            _("State"),
            lambda row: Stamp(CONSIGNMENT_STATES[row.state].text(language()), CONSIGNMENT_TONES[row.state]),
            sort="state",
        ),
        Column("loaded", pgettext_lazy("keys", "Written"), lambda row: row.loaded_at, sort="loaded_at", kind="whole"),
    ],
    filters=[
        Select(
            "direction",
            pgettext_lazy("keys", "Direction"),
            [("sender", pgettext_lazy("keys", "Sent")), ("recipient", pgettext_lazy("keys", "Received"))],
            narrow=_direction,
        ),
        Select("state", _("State"), words(CONSIGNMENT_STATES), "state"),
        Select("algorithm", _("Algorithm"), ALGORITHMS, "algorithm"),
        Text("carrier", pgettext_lazy("keys", "Carrier"), ("carrier",)),
        Days("loaded", pgettext_lazy("keys", "Written"), "loaded_at", moments=True),
    ],
    empty_title=_("No consignment"),
    empty_text=_("Sub-keys that go to the level below on a carrier, or come from the level above, appear here."),
)
