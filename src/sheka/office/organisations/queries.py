"""Reading the tree of organisations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Kind, Organisation

if TYPE_CHECKING:
    from sheka.office.staff.actors import Actor


BUREAUS = (Kind.MINISTRY.value, Kind.PROVINCE.value, Kind.CITY.value)
COUNTERS = (Kind.OUTLET.value, Kind.CARD_CENTRE.value)
_TREE_LOCK = 0x54_52_45_45  # "TREE": one change of the tree at a time


def is_partner(place: Organisation) -> bool:
    """Whether an organisation is neither an office nor a counter of one: a hospital, a bank, a supplier."""
    return place.kind not in (*BUREAUS, Kind.DISTRICT.value, *COUNTERS)


def organisation(code: str) -> Organisation:
    """The organisation with this code. Raises Refused(ORGANISATION_UNKNOWN)."""
    try:
        return Organisation.objects.get(code=code)
    except Organisation.DoesNotExist:
        raise Refused(Code.ORGANISATION_UNKNOWN, organisation=code) from None


def must_be_in_force(code: str, day: date | None = None) -> None:
    """Raises Refused(ORGANISATION_NOT_IN_FORCE) for one that is closed on `day` (today), or not yet open."""
    place = Organisation.objects.filter(code=code).first()
    if place is not None:  # the installer acts for a root that is not there yet
        place.must_be_in_force(day or timezone.localdate())


def lock_tree() -> None:
    """Until the end of the transaction nobody else adds, moves or closes an organisation."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TREE_LOCK])


def organisations_below(actor: Actor) -> QuerySet[Organisation]:
    """The actor's organisation and all below it."""
    return Organisation.objects.filter(path__within=actor.path)


def children_of(actor: Actor, code: str) -> QuerySet[Organisation]:
    """What stands directly under an organisation. Raises Refused(ORGANISATION_OUT_OF_REACH, ORGANISATION_UNKNOWN)."""
    actor.must_act_for(code)
    return Organisation.objects.filter(parent=code)


def tree_of(actor: Actor) -> list[tuple[int, Organisation]]:
    """The actor's organisation and all below it in the order of the tree, each with its depth, from 0."""
    top = actor.path.count(".")
    return [(place.path.count(".") - top, place) for place in organisations_below(actor).order_by("path")]


def search_organisations(actor: Actor, text: str) -> QuerySet[Organisation]:
    """Those of the actor's reach whose code, Chinese or English name contains the text; nothing in it is a pattern."""
    said = text.replace("\0", "").strip()
    found = Q(code__icontains=said) | Q(name__icontains=said) | Q(name_en__icontains=said)
    return organisations_below(actor).filter(found) if said else Organisation.objects.none()


def bureau_of(place: Organisation) -> Organisation:
    """The bureau that keeps the books of an organisation: itself, or the nearest bureau above it."""
    while place.kind not in BUREAUS and place.parent is not None:
        place = place.parent
    return place


def organisations_named(found: Iterable[str]) -> list[Organisation]:
    """The organisations whose code or Chinese name is among `found`."""
    sought = set(found)
    return list(Organisation.objects.filter(Q(code__in=sought) | Q(name__in=sought)))


def path_label(code: str) -> str:
    """The ltree label of a code: letters, digits and underscores only.

    >>> path_label("460100-01")
    'o460100_01'
    """
    return "o" + code.replace("-", "_")
