"""Keys that the reader's organisation holds in its machine: references and check values, never keys (design §2.8)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from sheka.faces.console.doors import opens
from sheka.faces.console.lists import Column, Days, Listing, Select, Stamp, Text, show_list
from sheka.faces.console.templatetags.look import algorithm
from sheka.faces.console.words import LEVELS, WORDS
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.models import Key
from sheka.systems.keys.queries import keys_of

ALGORITHMS = [(str(one.value), algorithm(one.value)) for one in (Algorithm.SM4, Algorithm.TDES)]


def _superior(key: Key) -> str:
    """The check value of the key that this one was made from."""
    return key.parent_check_value.upper()


KEYS = Listing(
    name="keys",
    title=_("Keys"),
    lede=_("References and check values only: the keys stay in the encryption machine."),
    rows=lambda actor: keys_of(actor.organisation),
    default_sort="name",
    columns=[
        Column("name", _("Name"), lambda row: row.name, sort=("name", "version", "algorithm"), kind="number"),
        Column(
            "level", _("Root at"), lambda row: str(LEVELS.get(row.owner_level, row.owner_level)), sort="owner_level"
        ),
        Column("algorithm", _("Algorithm"), lambda row: algorithm(row.algorithm), sort="algorithm"),
        Column("version", _("Version"), lambda row: row.version, sort="version", kind="amount"),
        Column("superior", _("From the superior's"), _superior, kind="number"),
        Column("check", _("Check value"), lambda row: row.check_value.upper(), sort="check_value", kind="number"),
        Column("state", _("State"), lambda row: Stamp(*WORDS.get(row.state, (row.state, "still"))), sort="state"),
        Column("since", _("Since"), lambda row: row.since, sort="since", kind="whole"),
    ],
    filters=[
        Select("level", _("Root at"), LEVELS.items(), "owner_level"),
        Select("algorithm", _("Algorithm"), ALGORITHMS, "algorithm"),
        Text("name", _("Name"), ("name",), "icontains"),
        Days("since", _("Since"), "since", moments=True),
    ],
    empty_title=_("No keys"),
    empty_text=_("Keys appear here when they are generated, or imported from the superior."),
)


@opens(Permission.KEY_VIEW)
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Every key by name, level and algorithm, with its check value."""
    return show_list(request, KEYS)
