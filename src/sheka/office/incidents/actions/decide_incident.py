"""The second person's verbs: close, send back, agree to a false alarm or not, open again (K9)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.incidents.actions.report_incident import text_of
from sheka.office.incidents.clocks import start_clocks, stop_clock
from sheka.office.incidents.desk import MOVED, tell_people
from sheka.office.incidents.guards import decision_digest, must_be_free
from sheka.office.incidents.models import Incident
from sheka.office.incidents.queries import locked
from sheka.office.incidents.states import INCIDENT
from sheka.office.incidents.timeline import tell, write
from sheka.office.incidents.work import DECIDE, HANDLE, end_work, open_handling
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import use_confirmation
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import hand_work

CONFIRMED = frozenset({"close", "dismiss"})
"""Verbs for which presence is proved."""
_SAID = {
    "close": Term("已结案", "closed"),
    "send_back": Term("复核退回，请补充", "sent back by the second person"),
    "dismiss": Term("已确认为误报", "agreed to be a false alarm"),
    "uphold": Term("不是误报，请继续处置", "no false alarm, go on"),
    "reopen": Term("重新开启", "opened again"),
}


@action(Permission.INCIDENT_CLOSE)
def decide_incident(actor: Actor, *, number: str, verb: str, reason: str) -> Incident:
    """`verb`: close, send_back, dismiss, uphold or reopen, each with its reason.

    Closing and agreeing to a false alarm need presence proved for `guards.decision_digest(incident, verb)`.
    Raises Refused: INCIDENT_OWN, INCIDENT_UNDECIDED, INCIDENT_FREEZE_FAILED, INCIDENT_DEMAND_OPEN,
    INCIDENT_NOT_DOUBTED, CONFIRMATION_NEEDED, STATE_FORBIDS.
    """
    incident = locked(actor, number)
    must_be_free(actor, incident, verb)
    said = text_of(reason)
    if verb in CONFIRMED:
        use_confirmation(actor, decision_digest(incident, verb))
    decided(actor, incident, verb, said)
    record(actor, f"incident.{verb}", incident.subject, state=incident.state, text=said)
    return incident


def decided(actor: Actor, incident: Incident, verb: str, said: str) -> None:
    """What the verb does; a superior's demand opens again by it too."""
    now = timezone.now()
    incident.state = INCIDENT.after(incident.state, verb)
    incident.doubt = {}
    if verb == "reopen":
        incident.ended_at, incident.ended_by = None, ""
        start_clocks(incident, now)
    elif verb in CONFIRMED:
        incident.ended_at, incident.ended_by = now, actor.name
        incident.receipts.update(escalates_at=None)
    stop_clock(incident, verb, now)
    if verb in CONFIRMED:
        end_work(actor, incident)
    else:
        end_work(actor, incident, DECIDE)
        open_handling(actor, incident)
        hand_work(actor, HANDLE, incident.subject, to=incident.handler_id)
    write(actor, incident, verb, said, at=now)
    tell_people(incident, StaffMember.objects.filter(pk=incident.handler_id), MOVED, _SAID[verb], but=actor)
    tell(incident)
