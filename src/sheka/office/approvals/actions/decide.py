"""Decide about a proposal: K6 and design §2.5."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.canonical import digest as digest_of
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.models import Decision, Proposal
from sheka.office.approvals.states import PROPOSAL
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.queries import person_of


def decide(actor: Actor, *, proposal_id: int, digest: str, verdict: str, reason: str = "") -> Proposal:
    """Record one person's decision about the digest that this person saw; the last needed consent approves.

    Raises Refused: APPROVAL_NEEDS_PERSON, APPROVAL_STALE, APPROVAL_EXPIRED, APPROVAL_OWN, APPROVAL_TWICE,
    APPROVAL_REASON, STATE_FORBIDS, ORGANISATION_OUT_OF_REACH.
    """
    if actor.staff_id is None:
        raise Refused(Code.APPROVAL_NEEDS_PERSON)
    proposal = Proposal.objects.select_for_update().select_related("organisation").get(pk=proposal_id)
    if proposal.organisation_id != actor.organisation:
        raise Refused(Code.ORGANISATION_OUT_OF_REACH, organisation=proposal.organisation.name)
    PROPOSAL.after(proposal.state, verdict)
    if proposal.expires_at <= timezone.now():
        raise Refused(Code.APPROVAL_EXPIRED, at=proposal.expires_at.isoformat(timespec="minutes"))
    if not proposal.digest == digest == digest_of(proposal.payload):
        raise Refused(Code.APPROVAL_STALE)
    person = person_of(actor.staff_id)
    if proposal.author_id is not None and person_of(proposal.author_id) == person:
        raise Refused(Code.APPROVAL_OWN)
    if proposal.decisions.filter(person_id=person).exists():
        raise Refused(Code.APPROVAL_TWICE)
    if verdict == "reject" and not reason.strip():
        raise Refused(Code.APPROVAL_REASON)
    Decision.objects.create(
        proposal=proposal,
        staff_id=actor.staff_id,
        person_id=person,
        digest=digest,
        verdict=verdict,
        reason=reason,
        decided_at=timezone.now(),
    )
    if verdict == "reject" or proposal.decisions.filter(verdict="approve").count() >= proposal.needed:
        proposal.state = PROPOSAL.after(proposal.state, verdict)
        proposal.save(update_fields=["state"])
    record(actor, "approval.decided", f"proposal:{proposal.pk}", verdict=verdict, digest=digest, reason=reason)
    return proposal
