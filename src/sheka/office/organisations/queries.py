"""Reading the tree of organisations."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Organisation


def organisation(code: str) -> Organisation:
    """The organisation with this code. Raises Refused(ORGANISATION_UNKNOWN)."""
    try:
        return Organisation.objects.get(code=code)
    except Organisation.DoesNotExist:
        raise Refused(Code.ORGANISATION_UNKNOWN, organisation=code) from None


def path_label(code: str) -> str:
    """The ltree label of a code: letters, digits and underscores only.

    >>> path_label("460100-01")
    'o460100_01'
    """
    return "o" + code.replace("-", "_")
