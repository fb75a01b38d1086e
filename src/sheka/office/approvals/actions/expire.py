"""The clock: what nobody decided, completed or carried out in time lapses. The worker calls it again and again."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sheka.office.actions import action
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.turns import settle
from sheka.office.approvals.waiting import keep_work
from sheka.office.audit.trail import record
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor


def expire_due() -> int:
    """End every request whose time has run out while it is the turn of an organisation of this node; how many."""
    with whole_node("the clock ends requests of every organisation of the node"):
        due = Proposal.objects.filter(due_at__lte=timezone.now(), turn=F("organisation_id"))
        return sum(_expire(key, place) for key, place in due.values_list("pk", "organisation_id"))


def _expire(key: int, place: str) -> bool:
    """Look again under the lock: somebody may have decided meanwhile."""
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update().get(pk=key)
        if proposal.due_at is None or proposal.due_at > timezone.now():
            return False
        action(proposal.matter.proposes)(_lapse)(Actor.process("clock", place), proposal)
        return True


def _lapse(actor: Actor, proposal: Proposal) -> None:
    due = proposal.due_at
    settle(actor, proposal, "expire")
    keep_work(actor, proposal)
    record(actor, "approval.expired", proposal.key, due_at=due, version=proposal.version)
