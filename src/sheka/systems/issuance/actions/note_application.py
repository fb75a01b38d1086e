"""What messages tell about an application: a copy that arrives, an outcome that comes back."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone

from sheka.foundation.canonical import digest as digest_of
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.actions.take_issuing_right import take_issuing_right
from sheka.systems.issuance.models import Application, Issuer
from sheka.systems.issuance.states import APPLICATION


@action(Permission.ISSUANCE_VIEW)
def receive_application(actor: Actor, *, number: UUID, payload: dict[str, Any], digest: str) -> Application:
    """Keep the copy that a lower level sent. Raises Refused(ISSUANCE_ALTERED)."""
    if digest_of(payload) != digest:
        raise Refused(Code.ISSUANCE_ALTERED, number=number)
    copy = Application.objects.create(
        number=number,
        held_by_id=actor.organisation,
        applicant=payload["applicant"],
        payload=payload,
        digest=digest,
        state="received",
        at=timezone.now(),
    )
    record(actor, "issuance.received", f"application:{number}", digest=digest)
    return copy


@action(Permission.ISSUANCE_VIEW)
def note_outcome(
    actor: Actor, *, number: UUID, outcome: str, reason: str, issuer: dict[str, Any] | None = None
) -> Application:
    """The applicant learns what a higher level decided; with an approval comes its issuer number."""
    application = Application.objects.select_for_update().get(number=number, held_by_id=actor.organisation)
    application.state = APPLICATION.after(application.state, f"note_{outcome}")
    application.reason = reason
    application.save(update_fields=["state", "reason"])
    if issuer is not None:
        Issuer.objects.update_or_create(
            held_by_id=actor.organisation,
            number=issuer["number"],
            defaults={
                "organisation": actor.organisation,
                "application": number,
                "quantity": issuer["quantity"],
                "layout_digest": issuer["layout_digest"],
                "valid_from": date.fromisoformat(issuer["valid_from"]),
                "valid_to": date.fromisoformat(issuer["valid_to"]),
            },
        )
        take_issuing_right(
            actor,
            number=issuer["number"],
            quantity=issuer["quantity"],
            layout_digest=issuer["layout_digest"],
            valid_from=date.fromisoformat(issuer["valid_from"]),
            valid_to=date.fromisoformat(issuer["valid_to"]),
        )
    record(actor, "issuance.outcome_noted", f"application:{number}", outcome=outcome, issuer=issuer)
    return application
