"""The ministry reviews an application, assigns the issuer identification number, and files it (I1, I3)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from sheka.foundation.numbers import IssuerIdentificationNumber
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.issuance.models import Application, Issuer
from sheka.systems.issuance.queries import application_held_by
from sheka.systems.issuance.states import APPLICATION

VALID_FOR = timedelta(days=5 * 365)
_NUMBER_LOCK = 0x49_53_53_55


@action(Permission.ISSUANCE_APPROVE)
def approve_application(
    actor: Actor, *, number: UUID, digest: str, passes: bool, reason: str, filing_reference: str = ""
) -> Issuer | None:
    """Decide about the digest that was read. An approval assigns the number in the same transaction and tells the city.

    `filing_reference` is the reference of the filing with the National IC Card Registration Center.
    Raises Refused: ISSUANCE_UNKNOWN, ISSUANCE_ALTERED, ISSUANCE_REASON, ISSUANCE_NUMBER_TAKEN, STATE_FORBIDS.
    """
    application = application_held_by(actor.organisation, number, digest)
    if not passes and not reason.strip():
        raise Refused(Code.ISSUANCE_REASON)
    state = APPLICATION.after(application.state, "approve" if passes else "reject")
    application.state, application.decided_by, application.reason = state, actor.name, reason
    issuer = _assign(actor, application, filing_reference) if passes else None
    outcome: dict[str, object] = {"number": str(number), "outcome": state, "reason": reason}
    if issuer is not None:
        issuer.save()
        application.state = APPLICATION.after(state, "file") if filing_reference else state
        outcome["issuer"] = {
            "number": issuer.number,
            "quantity": issuer.quantity,
            "layout_digest": issuer.layout_digest,
            "valid_from": issuer.valid_from.isoformat(),
            "valid_to": issuer.valid_to.isoformat(),
        }
    application.save(update_fields=["state", "decided_by", "reason"])
    send(actor.organisation, application.applicant, "issuance.application.outcome", outcome)
    assigned = issuer.number if issuer else None
    record(actor, "issuance.approved", f"application:{number}", outcome=state, reason=reason, issuer_number=assigned)
    return issuer


def _assign(actor: Actor, application: Application, filing: str) -> Issuer:
    """The applicant's number, under a lock: one a region, kept when a later application changes what it allows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NUMBER_LOCK])
    place = organisation(application.applicant)
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
    issuer.filing_reference, issuer.filed_at = filing, timezone.now() if filing else None
    return issuer
