"""Ask that a ceremony may be held which no other system asks for: of a machine, or of what came on a carrier (K6)."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.ceremonies.scripts import PLAN


@action(Permission.CEREMONY_PLAN)
def propose_ceremony(actor: Actor, *, kind: str, why: str) -> Proposal:
    """Freeze kind and reason. Raises Refused: CEREMONY_REASON, and what `propose` and the matter's check refuse."""
    if len(why.strip()) < 2:
        raise Refused(Code.CEREMONY_REASON)
    subject = f"ceremony:{kind}:{actor.organisation}"
    return propose(actor, kind=PLAN, subject=subject, payload={"kind": kind, "why": why.strip()[:300]})
