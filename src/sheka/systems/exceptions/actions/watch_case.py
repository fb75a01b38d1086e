"""What the clock does for one case: deadlines, silent institutions, requests that ended without an approval (S10)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.calendar import add_working_days
from sheka.office.actions import action
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.actions.adjust_case import send_back_case
from sheka.systems.exceptions.informing import approvers, tell_staff
from sheka.systems.exceptions.life import locked, move, write
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.work import LATE

_ENDED = frozenset({"rejected", "withdrawn", "expired"})


@action(Permission.EXCEPTION_VIEW)
def watch_case(actor: Actor, *, number: str) -> ExceptionCase:
    """Do what has become due for this case."""
    case = locked(actor, number)
    today = timezone.localdate()
    if case.state == "proposed":
        state = Proposal.objects.filter(number=case.proposal, organisation_id=case.organisation_id).values_list("state")
        if not state or state[0][0] in _ENDED:
            case = send_back_case(actor, number=number, why=state[0][0] if state else "gone")
    if case.state == "asked" and case.answer_due_on is not None and case.answer_due_on < today:
        case.answer_due_on = None
        move(actor, case, "answer", "", facts={"silent": True})
        if case.holder_id is not None:
            tell_staff(case, [case.holder_id], zh="对方逾期未答复", en="the other side did not answer in time")
    if case.runs and case.escalated_at is None and _overdue(case):
        case.escalated_at = timezone.now()
        case.save(update_fields=["escalated_at"])
        write(actor, case, "late")
        people = [*approvers(case), *([case.holder_id] if case.holder_id else [])]
        tell_staff(case, people, kind=LATE, zh="超过处理期限", en="past its deadline")
    record(actor, "exception.watched", case.key, state=case.state)
    return case


def _overdue(case: ExceptionCase) -> bool:
    days = policy().escalate_days
    last = add_working_days(case.due_on, days).day if days else case.due_on
    return last < timezone.localdate()
