"""Reading applications and issuers."""

from __future__ import annotations

from uuid import UUID

from sheka.foundation.canonical import digest as digest_of
from sheka.foundation.refusals import Code, Refused
from sheka.systems.issuance.models import Application, Issuer


def application_held_by(organisation_code: str, number: UUID, digest: str) -> Application:
    """The organisation's copy, locked, when it is what the reader saw.

    Raises Refused: ISSUANCE_UNKNOWN, ISSUANCE_ALTERED.
    """
    found = Application.objects.select_for_update().filter(number=number, held_by_id=organisation_code).first()
    if found is None:
        raise Refused(Code.ISSUANCE_UNKNOWN, number=number)
    if not found.digest == digest == digest_of(found.payload):
        raise Refused(Code.ISSUANCE_ALTERED, number=number)
    return found


def applications_held_by(organisation_code: str) -> list[Application]:
    return list(Application.objects.filter(held_by_id=organisation_code))


def issuers_held_by(organisation_code: str) -> list[Issuer]:
    """Issuer numbers: those it assigned (ministry), or the one that it was given (city)."""
    return list(Issuer.objects.filter(held_by_id=organisation_code).order_by("number"))
