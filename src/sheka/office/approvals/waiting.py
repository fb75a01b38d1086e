"""What a request makes somebody do next: one item of work at the organisation whose turn it is."""

from __future__ import annotations

from django.utils import timezone

from sheka.office.approvals.models import Proposal
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work, open_work

DECIDE, COMPLETE, CARRY_OUT = "approval.decide", "approval.complete", "approval.carry_out"
KIND_OF = {"open": DECIDE, "returned": COMPLETE, "approved": CARRY_OUT}


def keep_work(actor: Actor, proposal: Proposal) -> None:
    """Close the work of the state before; open that of the state now, when it is this organisation's turn."""
    for kind in KIND_OF.values():
        close_work(actor, kind, proposal.key, organisation=proposal.organisation_id)
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
