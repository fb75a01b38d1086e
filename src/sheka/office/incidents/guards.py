"""Who may do what with an incident, and if not, exactly why not: one list for the verb and for the page (K9).

Whoever reported or handled it is never its second person, in no account of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.incidents.desk import must_be_person, person_in
from sheka.office.incidents.models import Entry, Incident
from sheka.office.incidents.states import INCIDENT, RUNNING, UNDECIDED
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

ANYBODY, HANDLER, SECOND, ABOVE = "anybody", "handler", "second", "above"


@dataclass(frozen=True, slots=True)
class Rule:
    """A verb: its word, the permission, who in the sense of this module, whether it goes by the table of states.

    One that does not go by the table needs an incident that runs, unless `ended` is as good.
    """

    title: Term
    permission: Permission
    by: str
    moves: bool = False
    ended: bool = False


RULES = {
    "take": Rule(Term("接手", "Take in hand"), Permission.INCIDENT_HANDLE, ANYBODY, moves=True),
    "contain": Rule(Term("已控制", "Contained"), Permission.INCIDENT_HANDLE, HANDLER, moves=True),
    "find_cause": Rule(Term("查明原因", "Cause found"), Permission.INCIDENT_HANDLE, HANDLER, moves=True),
    "handle": Rule(Term("处置完毕", "Handled"), Permission.INCIDENT_HANDLE, HANDLER, moves=True),
    "doubt": Rule(Term("提出误报", "Call it a false alarm"), Permission.INCIDENT_HANDLE, HANDLER, moves=True),
    "add": Rule(Term("登记受影响对象", "Add what is affected"), Permission.INCIDENT_HANDLE, HANDLER),
    "freeze": Rule(Term("冻结", "Freeze"), Permission.INCIDENT_HANDLE, HANDLER),
    "settle": Rule(Term("登记更换或销毁", "Replaced or destroyed"), Permission.INCIDENT_HANDLE, HANDLER),
    "regrade": Rule(Term("调整级别", "Change the severity"), Permission.INCIDENT_HANDLE, HANDLER),
    "note": Rule(Term("记录进展", "Write down progress"), Permission.INCIDENT_HANDLE, HANDLER),
    "answer": Rule(Term("答复上级", "Answer the superior"), Permission.INCIDENT_HANDLE, HANDLER),
    "release": Rule(Term("解冻或放弃冻结", "Release"), Permission.INCIDENT_CLOSE, SECOND),
    "close": Rule(Term("结案", "Close"), Permission.INCIDENT_CLOSE, SECOND, moves=True),
    "send_back": Rule(Term("退回处置", "Send back"), Permission.INCIDENT_CLOSE, SECOND, moves=True),
    "dismiss": Rule(Term("确认误报", "Agree: false alarm"), Permission.INCIDENT_CLOSE, SECOND, moves=True),
    "uphold": Rule(Term("不是误报", "It is no false alarm"), Permission.INCIDENT_CLOSE, SECOND, moves=True),
    "reopen": Rule(Term("重新开启", "Open again"), Permission.INCIDENT_CLOSE, SECOND, moves=True),
    "read": Rule(Term("签阅", "Sign as read"), Permission.INCIDENT_VIEW, ABOVE, ended=True),
    "demand": Rule(Term("要求补充", "Ask for more"), Permission.INCIDENT_HANDLE, ABOVE, ended=True),
}
_SECOND_VERBS = frozenset({"thaw", "waive", *(name for name, rule in RULES.items() if rule.by == SECOND)})


def must_be_free(actor: Actor, incident: Incident, verb: str) -> None:
    """Raises Refused with the number that says why this actor cannot do this now."""
    rule = RULES[verb]
    actor.require(rule.permission)
    must_be_person(actor)
    if rule.by == ABOVE and incident.is_origin:
        raise Refused(Code.INCIDENT_NOT_A_SUPERIOR)
    if rule.by != ABOVE and not incident.is_origin:
        raise Refused(Code.INCIDENT_ELSEWHERE, organisation=_named(incident.origin))
    _state_must_allow(incident, verb, rule)
    if verb == "take" and incident.handler_id == actor.staff_id:
        raise Refused(Code.INCIDENT_TAKEN)
    if rule.by == HANDLER:
        _must_be_handler(actor, incident)
    if rule.by == SECOND:
        _must_be_second(actor, incident)
    if verb == "contain":
        _nothing_may_be(incident, ("failed",))
    if verb == "close":
        _nothing_may_be(incident, UNDECIDED)
        for entry in open_demands(incident):
            raise Refused(Code.INCIDENT_DEMAND_OPEN, organisation=_named(entry.place))
    if verb == "read" and incident.entries.filter(verb="read", person=person_in(incident, actor)).exists():
        raise Refused(Code.INCIDENT_READ_ALREADY)


def why_not(actor: Actor, incident: Incident, verb: str) -> Refused | None:
    """What would be answered if this actor did it now; None when it would be done."""
    try:
        must_be_free(actor, incident, verb)
    except Refused as refusal:
        return refusal
    return None


def open_demands(incident: Incident) -> list[Entry]:
    """What those above asked for and nobody has answered, the oldest first."""
    answered = incident.entries.filter(answers__isnull=False).values("answers")
    return list(incident.entries.filter(verb="demand").exclude(key__in=answered))


def decision_digest(incident: Incident, verb: str, about: str = "") -> str:
    """What presence is proved for: this verb, about the incident as it stands now."""
    return digest({"incident": incident.number, "serial": incident.serial, "verb": verb, "about": about})


def _state_must_allow(incident: Incident, verb: str, rule: Rule) -> None:
    if rule.moves:
        INCIDENT.after(incident.state, verb)
    elif not rule.ended and not incident.runs:
        raise Refused(Code.STATE_FORBIDS, state=incident.state, verb=verb, allowed=", ".join(RUNNING))
    if verb in ("dismiss", "uphold"):
        if not incident.doubt:
            raise Refused(Code.INCIDENT_NOT_DOUBTED)
    elif rule.moves and incident.doubt and verb != "take":
        raise Refused(Code.INCIDENT_DOUBTED, name=incident.doubt["by"])


def _must_be_handler(actor: Actor, incident: Incident) -> None:
    if incident.handler_id is None:
        raise Refused(Code.INCIDENT_NOT_TAKEN)
    if incident.handler_id != actor.staff_id:
        raise Refused(Code.INCIDENT_OTHER_HANDLER, name=incident.handled_by)


def _must_be_second(actor: Actor, incident: Incident) -> None:
    """Neither reported nor handled it: no line of the timeline but a second person's is by this person."""
    own = incident.entries.filter(person=person_in(incident, actor))
    if own.exclude(verb__in=_SECOND_VERBS).exists():
        raise Refused(Code.INCIDENT_OWN)


def _nothing_may_be(incident: Incident, states: tuple[str, ...]) -> None:
    for row in incident.affected.filter(state__in=states):
        code = Code.INCIDENT_FREEZE_FAILED if row.state == "failed" else Code.INCIDENT_UNDECIDED
        raise Refused(code, subject=row.subject)


def _named(code: str) -> Term:
    row = Organisation.objects.filter(code=code).first()
    return Term(row.name, row.name_en) if row else Term(code, code)
