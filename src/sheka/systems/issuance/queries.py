"""Reading applications and issuers; the guard that no card passes without a right to issue it (I6)."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from sheka.foundation.canonical import digest as digest_of
from sheka.foundation.refusals import Code, Refused
from sheka.systems.issuance.models import Application, Issuer


def application_held_by(organisation_code: str, number: UUID, digest: str) -> Application:
    """The organisation's copy, locked, when it is what the reader saw. Raises Refused: ISSUANCE_UNKNOWN, ISSUANCE_ALTERED."""
    found = Application.objects.select_for_update().filter(number=number, held_by_id=organisation_code).first()
    if found is None:
        raise Refused(Code.ISSUANCE_UNKNOWN, number=number)
    if not found.digest == digest == digest_of(found.payload):
        raise Refused(Code.ISSUANCE_ALTERED, number=number)
    return found


def applications_held_by(organisation_code: str) -> list[Application]:
    return list(Application.objects.filter(held_by_id=organisation_code))


def right_to_issue(organisation_code: str, *, already: int, more: int, layout_digest: str) -> Issuer:
    """The valid issuer number that covers `more` cards beyond the `already` ordered ones, in this layout (I6).

    Raises Refused: ISSUANCE_NO_NUMBER, ISSUANCE_QUANTITY, ISSUANCE_LAYOUT.
    """
    today = timezone.localdate()
    valid = Issuer.objects.filter(
        held_by_id=organisation_code, organisation=organisation_code, valid_from__lte=today, valid_to__gt=today
    ).order_by("number")
    if not valid:
        raise Refused(Code.ISSUANCE_NO_NUMBER, organisation=organisation_code)
    issuer = next((row for row in valid if row.layout_digest == layout_digest), None)
    if issuer is None:
        raise Refused(Code.ISSUANCE_LAYOUT, layout=layout_digest[:16])
    if already + more > issuer.quantity:
        raise Refused(Code.ISSUANCE_QUANTITY, asked=more, left=max(0, issuer.quantity - already))
    return issuer
