"""Freeze a payload and put it before its deciders."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from sheka.foundation.canonical import plain_form
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.matters import matter_of
from sheka.office.approvals.models import Proposal, Version, frozen_digest
from sheka.office.approvals.routes import route_for
from sheka.office.approvals.seats import pseudonym
from sheka.office.approvals.turns import give_turn, tell
from sheka.office.approvals.waiting import keep_work
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor


def propose(
    actor: Actor, *, kind: str, subject: str, payload: dict[str, Any], number: uuid.UUID | None = None
) -> Proposal:
    """Called by a system's action, in its transaction. `payload` is JSON; with its kind and subject it is frozen.

    Raises Refused: APPROVAL_UNKNOWN_KIND, PERMISSION_MISSING, APPROVAL_NEEDS_PERSON, APPROVAL_NO_ROUTE, and what the
    matter's own check refuses.
    """
    return action(matter_of(kind).proposes)(_propose)(actor, kind, subject, payload, number or uuid.uuid4())


def _propose(actor: Actor, kind: str, subject: str, payload: dict[str, Any], number: uuid.UUID) -> Proposal:
    matter, place, now = matter_of(kind), organisation(actor.organisation), timezone.now()
    route = route_for(kind, place, timezone.localdate())
    frozen: Any = plain_form(payload)
    if matter.check:
        matter.check(actor, frozen)
    made = Proposal(
        number=number,
        organisation=place,
        origin=place.code,
        kind=kind,
        subject=subject,
        route=route.plain(),
        payload=frozen,
        digest=frozen_digest(number, kind, subject, place.code, 1, frozen),
        author_id=actor.staff_id,
        made_at=now,
        expires_at=now + timedelta(days=route.days),
    )
    give_turn(made)
    made.save()
    add_version(actor, made, note="")
    tell(made)
    keep_work(actor, made)
    record(actor, "approval.proposed", made.key, kind=kind, about=subject, digest=made.digest, number=number)
    return made


def add_version(actor: Actor, proposal: Proposal, *, note: str) -> None:
    """Keep what was just frozen and who froze it. Raises Refused(APPROVAL_NEEDS_PERSON): a person answers for it."""
    if actor.staff_id is None:
        raise Refused(Code.APPROVAL_NEEDS_PERSON)
    Version.objects.create(
        proposal=proposal,
        number=proposal.version,
        payload=proposal.payload,
        digest=proposal.digest,
        staff_id=actor.staff_id,
        name=actor.name,
        person=pseudonym(proposal.number, actor.staff_id),
        note=note,
        made_at=timezone.now(),
    )
