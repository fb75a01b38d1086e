"""What a request makes somebody do next: one item of work at the organisation whose turn it is."""

from __future__ import annotations

from django.utils import timezone

from sheka.office.approvals.models import Proposal
from sheka.office.approvals.states import STATE_WORDS
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work, open_work
from sheka.office.work.notices import notify

DECIDE, COMPLETE, CARRY_OUT = "approval.decide", "approval.complete", "approval.carry_out"
RETURNED, ENDED, LENT = "approval.returned", "approval.ended", "approval.lent"
"""Kinds of notices."""
KIND_OF = {"open": DECIDE, "returned": COMPLETE, "approved": CARRY_OUT}


def keep_work(actor: Actor, proposal: Proposal) -> None:
    """Close the work of the state before; open that of the state now, when it is this organisation's turn.

    The author hears of a return and of the end, unless it was the author's own doing.
    """
    for kind in KIND_OF.values():
        close_work(actor, kind, proposal.key, organisation=proposal.organisation_id)
    if proposal.author_id is not None and proposal.author_id != actor.staff_id and proposal.state != "open":
        title, word = proposal.matter.title, STATE_WORDS[proposal.state]
        kind = RETURNED if proposal.state == "returned" else ENDED
        notify(proposal.author_id, kind, proposal.key, zh=f"{title.zh}：{word.zh}", en=f"{title.en}: {word.en}")
    if not proposal.in_turn_here:
        return
    deciding = proposal.state == "open"
    title = proposal.matter.title
    step = proposal.step_now.title
    open_work(
        actor,
        kind=KIND_OF[proposal.state],
        subject=proposal.key,
        organisation=proposal.organisation_id,
        permission=Permission(proposal.permission),
        title_zh=f"{title.zh}：{step.zh}" if deciding else title.zh,
        title_en=f"{title.en}: {step.en}" if deciding else title.en,
        due_on=timezone.localtime(proposal.due_at).date() if proposal.due_at else None,
        assignee_id=proposal.assignee_id if deciding else proposal.author_id,
        returned=proposal.state == "returned",
    )
