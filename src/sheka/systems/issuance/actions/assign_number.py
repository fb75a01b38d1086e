"""The ministry assigns the issuer identification number in the transaction of its last approval, and files it (I3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from sheka.foundation.numbers import IssuerIdentificationNumber
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.issuance.models import Issuer

VALID_FOR = timedelta(days=5 * 365)
_NUMBER_LOCK = 0x49_53_53_55


@action(Permission.ISSUANCE_APPROVE)
def assign_number(actor: Actor, application: Proposal) -> dict[str, Any]:
    """The applicant's number, under a lock: one a region, kept when a later application changes what it allows.

    What it returns travels to the applicant with the approval. Raises Refused(ISSUANCE_NUMBER_TAKEN).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NUMBER_LOCK])
    place = organisation(application.origin)
    number = IssuerIdentificationNumber.of(place.region).text
    issuer = Issuer.objects.filter(held_by_id=actor.organisation, number=number).first() or Issuer(
        held_by_id=actor.organisation, number=number, organisation=place.code
    )
    if issuer.organisation != place.code:
        raise Refused(Code.ISSUANCE_NUMBER_TAKEN, number=number, organisation=issuer.organisation)
    today = timezone.localdate()
    issuer.application = application.number
    issuer.quantity = application.payload["quantity"]
    issuer.layout_digest = application.payload["layout_digest"]
    issuer.valid_from, issuer.valid_to = today, today + VALID_FOR
    issuer.filing_reference, issuer.filed_at = "", None
    issuer.save()
    record(actor, "issuance.number_assigned", f"application:{application.number}", issuer_number=number)
    return {
        "issuer": {
            "number": number,
            "quantity": issuer.quantity,
            "layout_digest": issuer.layout_digest,
            "valid_from": issuer.valid_from.isoformat(),
            "valid_to": issuer.valid_to.isoformat(),
        }
    }


@action(Permission.ISSUANCE_APPROVE)
def file_number(actor: Actor, *, number: str, reference: str) -> Issuer:
    """Note under which reference the National IC Card Registration Center has filed a number.

    Raises Refused: ISSUANCE_NUMBER_UNKNOWN, ISSUANCE_FILED, ISSUANCE_REFERENCE.
    """
    issuer = Issuer.objects.select_for_update().filter(held_by_id=actor.organisation, number=number).first()
    if issuer is None:
        raise Refused(Code.ISSUANCE_NUMBER_UNKNOWN, number=number)
    if issuer.filed_at is not None:
        raise Refused(Code.ISSUANCE_FILED, number=number, reference=issuer.filing_reference)
    if not reference.strip():
        raise Refused(Code.ISSUANCE_REFERENCE)
    issuer.filing_reference, issuer.filed_at = reference.strip(), timezone.now()
    issuer.save(update_fields=["filing_reference", "filed_at"])
    record(actor, "issuance.number_filed", f"issuer:{number}", reference=issuer.filing_reference)
    return issuer
