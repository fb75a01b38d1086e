"""Reading the tree of organisations."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Organisation


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
