"""Who may do what with a case, and if not, exactly why not: one list for the verb and for the page (S10)."""

from __future__ import annotations

from dataclasses import dataclass

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.models import Dispute, ExceptionCase, Reason
from sheka.systems.exceptions.states import CASE, ENDED, RUNNING, UNKNOWN

ANYBODY, HOLDER = "anybody", "holder"


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: its word, its permission, who, the verb of the table of states (empty: any state that runs)."""

    title: Term
    permission: Permission
    by: str = ANYBODY
    moves: str = ""


VERBS = {
    "take": Verb(Term("接手", "Take in hand"), Permission.EXCEPTION_HANDLE, moves="take"),
    "adjust": Verb(Term("提交调账", "Propose an adjustment"), Permission.EXCEPTION_HANDLE, HOLDER, "propose"),
    "decide": Verb(Term("提交裁定", "Propose a decision"), Permission.EXCEPTION_HANDLE, HOLDER, "propose"),
    "ask": Verb(Term("向机构查询", "Ask the institution"), Permission.EXCEPTION_HANDLE, HOLDER, "ask"),
    "answer": Verb(Term("登记答复", "Note the answer"), Permission.EXCEPTION_HANDLE, moves="answer"),
    "note": Verb(Term("记录", "Write a note"), Permission.EXCEPTION_HANDLE),
    "close": Verb(Term("结案（不调账）", "Close, nothing to book"), Permission.EXCEPTION_HANDLE, HOLDER, "close"),
    "give_back": Verb(Term("退回待处理", "Give back"), Permission.EXCEPTION_HANDLE, HOLDER, "give_back"),
    "assign": Verb(Term("交办", "Assign"), Permission.EXCEPTION_DECIDE, moves="take"),
    "withdraw": Verb(Term("撤回争议", "Withdraw the dispute"), Permission.EXCEPTION_DISPUTE, moves="withdraw"),
    "extend": Verb(Term("延长期限", "Extend the deadline"), Permission.EXCEPTION_DECIDE),
    "reopen": Verb(Term("重新开启", "Open again"), Permission.EXCEPTION_HANDLE, moves="reopen"),
}


def must_be_free(actor: Actor, case: ExceptionCase, verb: str) -> None:
    """Raises Refused with the number that says why this actor cannot do this now."""
    rule = VERBS[verb]
    actor.require(rule.permission)
    if verb == "withdraw" and not Dispute.objects.filter(case=case, place=actor.organisation).exists():
        raise Refused(Code.EXCEPTION_NO_DISPUTE, case=case.number)
    if verb == "close" and Dispute.objects.filter(case=case).exists():
        raise Refused(Code.EXCEPTION_DISPUTE_DECIDED)
    if case.state == UNKNOWN and (rule.moves or verb == "extend"):  # it becomes known by our books, not by a person
        allowed = ", ".join(state for state in RUNNING if state != UNKNOWN)
        raise Refused(Code.STATE_FORBIDS, state=case.state, verb=verb, allowed=allowed)
    if rule.moves:
        CASE.after(case.state, rule.moves)
    elif case.state in ENDED:
        raise Refused(Code.STATE_FORBIDS, state=case.state, verb=verb, allowed=", ".join(RUNNING))
    if verb == "decide" and case.reason != Reason.DISPUTE:
        raise Refused(Code.EXCEPTION_NO_DISPUTE, case=case.number)
    if verb == "adjust" and case.reason == Reason.DISPUTE:
        raise Refused(Code.EXCEPTION_DISPUTE_DECIDED)
    if verb == "take" and case.state == "in_hand" and case.holder_id == actor.staff_id:
        raise Refused(Code.EXCEPTION_HELD, name=case.holder)
    if verb == "extend" and case.events.filter(verb="extend").exists():
        raise Refused(Code.EXCEPTION_EXTENDED, case=case.number)
    if rule.by == HOLDER and case.holder_id not in (None, actor.staff_id):
        raise Refused(Code.EXCEPTION_OTHER_HOLDER, name=case.holder)


def why_not(actor: Actor, case: ExceptionCase, verb: str) -> Refused | None:
    """What would be answered if this actor did it now; None when it would be done."""
    try:
        must_be_free(actor, case, verb)
    except Refused as refusal:
        return refusal
    return None
