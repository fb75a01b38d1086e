"""Freeze a payload and put it before its deciders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor

OPEN_FOR = timedelta(days=30)


def propose(
    actor: Actor, *, kind: str, subject: str, organisation: Organisation, payload: dict[str, Any], needed: int = 1
) -> Proposal:
    """Called by a system's action, in its transaction. `payload` is plain JSON; its SM3 digest is what is decided."""
    now = timezone.now()
    made = Proposal.objects.create(
        kind=kind,
        subject=subject,
        organisation=organisation,
        payload=payload,
        digest=digest(payload),
        author_id=actor.staff_id,
        needed=needed,
        made_at=now,
        expires_at=now + OPEN_FOR,
    )
    record(
        actor, "approval.proposed", f"proposal:{made.pk}", kind=kind, about=subject, digest=made.digest, needed=needed
    )
    return made
