"""The applicant learns how its application ended; with an approval comes the right to issue (I3, I6)."""

from __future__ import annotations

from datetime import date

from sheka.office.actions import action
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.actions.take_issuing_right import take_issuing_right
from sheka.systems.issuance.models import Issuer


@action(Permission.ISSUANCE_VIEW)
def note_outcome(actor: Actor, application: Proposal) -> None:
    """Called where a copy is held, in the transaction that takes the news. The right goes to the applicant alone."""
    told = application.result.get("issuer")
    if told and application.origin == actor.organisation:
        allowed = {
            "quantity": told["quantity"],
            "layout_digest": told["layout_digest"],
            "valid_from": date.fromisoformat(told["valid_from"]),
            "valid_to": date.fromisoformat(told["valid_to"]),
        }
        Issuer.objects.update_or_create(
            held_by_id=actor.organisation,
            number=told["number"],
            defaults={"organisation": actor.organisation, "application": application.number, **allowed},
        )
        take_issuing_right(actor, number=told["number"], **allowed)
    record(
        actor,
        "issuance.outcome_noted",
        f"application:{application.number}",
        outcome=application.state,
        issuer=told,
    )
