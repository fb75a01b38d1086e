"""The province examines an application and passes it to the ministry, or rejects it (I2)."""

from __future__ import annotations

from uuid import UUID

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.issuance.models import Application
from sheka.systems.issuance.queries import application_held_by
from sheka.systems.issuance.states import APPLICATION


@action(Permission.ISSUANCE_EXAMINE)
def examine_application(actor: Actor, *, number: UUID, digest: str, passes: bool, reason: str) -> Application:
    """Decide about the digest that was read; what passes goes on to the ministry.

    Raises Refused: ISSUANCE_UNKNOWN, ISSUANCE_ALTERED, ISSUANCE_REASON, STATE_FORBIDS.
    """
    application = application_held_by(actor.organisation, number, digest)
    if not passes and not reason.strip():
        raise Refused(Code.ISSUANCE_REASON)
    application.state = APPLICATION.after(application.state, "examine" if passes else "reject")
    application.decided_by, application.reason = actor.name, reason
    application.save(update_fields=["state", "decided_by", "reason"])
    outcome = {"number": str(number), "outcome": application.state, "reason": reason}
    send(actor.organisation, application.applicant, "issuance.application.outcome", outcome)
    if passes:
        superior = organisation(actor.organisation).parent_id
        told = {"number": str(number), "payload": application.payload, "digest": application.digest, "reason": reason}
        send(actor.organisation, str(superior), "issuance.application.submitted", told)
    record(actor, "issuance.examined", f"application:{number}", digest=digest, outcome=application.state, reason=reason)
    return application
