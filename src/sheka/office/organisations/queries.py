"""Reading the tree of organisations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Kind, Organisation

if TYPE_CHECKING:
    from sheka.office.staff.actors import Actor


BUREAUS = (Kind.MINISTRY.value, Kind.PROVINCE.value, Kind.CITY.value)
COUNTERS = (Kind.OUTLET.value, Kind.CARD_CENTRE.value)


def is_partner(place: Organisation) -> bool:
    """Whether an organisation is neither a bureau nor a counter of one: a hospital, a bank, a supplier."""
    return place.kind not in (*BUREAUS, *COUNTERS)


def organisation(code: str) -> Organisation:
    """The organisation with this code. Raises Refused(ORGANISATION_UNKNOWN)."""
    try:
        return Organisation.objects.get(code=code)
    except Organisation.DoesNotExist:
        raise Refused(Code.ORGANISATION_UNKNOWN, organisation=code) from None


def must_be_in_force(code: str) -> None:
    """Raises Refused(ORGANISATION_NOT_IN_FORCE) for an organisation that is closed today, or not yet open."""
    today = timezone.localdate()
    if Organisation.objects.filter(code=code).exclude(Organisation.in_force(today)).exists():
        raise Refused(Code.ORGANISATION_NOT_IN_FORCE, organisation=organisation(code).name, date=today)


def organisations_below(actor: Actor) -> QuerySet[Organisation]:
    """The actor's organisation and all below it."""
    return Organisation.objects.filter(path__within=actor.path)


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
