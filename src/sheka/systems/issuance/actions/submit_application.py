"""An area applies to issue: a city to its province for preliminary examination (I2), a province upward (I1)."""

from __future__ import annotations

from typing import Any

from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.issuance.materials import APPLY


@action(Permission.ISSUANCE_APPLY)
def submit_application(
    actor: Actor, *, materials: dict[str, str], quantity: int, layout_digest: str, scope: str
) -> Proposal:
    """Put an application on its way.

    `materials` names a document for each of MATERIALS; `layout_digest` is the SM3 of the card profile and surface.
    Raises Refused: ISSUANCE_WRONG_APPLICANT, ISSUANCE_MATERIALS, ISSUANCE_QUANTITY, and what `propose` refuses.
    """
    payload: dict[str, Any] = {
        "applicant": actor.organisation,
        "materials": materials,
        "quantity": quantity,
        "layout_digest": layout_digest,
        "scope": scope,
    }
    application = propose(actor, kind=APPLY, subject=f"issuer:{actor.organisation}", payload=payload)
    record(actor, "issuance.submitted", f"application:{application.number}", digest=application.digest)
    return application
