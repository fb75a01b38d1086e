"""The handler's verbs: take it, contain it, find the cause, handle it, doubt it, answer what is asked (K9)."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.incidents.actions.report_incident import text_of
from sheka.office.incidents.clocks import stop_clock
from sheka.office.incidents.desk import MOVED, next_at, tell_people
from sheka.office.incidents.guards import must_be_free, open_demands
from sheka.office.incidents.models import Incident
from sheka.office.incidents.plans import SEVERITIES
from sheka.office.incidents.queries import locked
from sheka.office.incidents.states import INCIDENT
from sheka.office.incidents.timeline import tell, write
from sheka.office.incidents.work import ANSWER, HANDLE, end_work, open_decision, open_handling
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import hand_work


@action(Permission.INCIDENT_HANDLE)
def take_incident(actor: Actor, *, number: str) -> Incident:
    """From now on this person handles it, in place of whoever did."""
    incident = _holding(actor, number, "take")
    earlier = StaffMember.objects.filter(pk=incident.handler_id)
    told = [one for one in earlier if one.pk != actor.staff_id]
    incident.handler_id, incident.handled_by = actor.staff_id, actor.name
    open_handling(actor, incident)
    hand_work(actor, HANDLE, incident.subject, to=actor.staff_id)
    tell_people(incident, told, MOVED, Term(f"已由{actor.name}接手", f"taken over by {actor.name}"), but=actor)
    return _moved(actor, incident, "take", "")


@action(Permission.INCIDENT_HANDLE)
def contain_incident(actor: Actor, *, number: str, text: str) -> Incident:
    """Nothing that is affected is left running. Raises Refused: INCIDENT_FREEZE_FAILED while one is outstanding."""
    return _moved(actor, _holding(actor, number, "contain"), "contain", text_of(text))


@action(Permission.INCIDENT_HANDLE)
def find_cause(actor: Actor, *, number: str, cause: str) -> Incident:
    """Why it happened."""
    incident = _holding(actor, number, "find_cause")
    incident.cause = text_of(cause)
    return _moved(actor, incident, "find_cause", incident.cause)


@action(Permission.INCIDENT_HANDLE)
def handle_incident(actor: Actor, *, number: str, measures: str) -> Incident:
    """What was done, and what keeps it from happening again. A second person closes it."""
    incident = _holding(actor, number, "handle")
    incident.measures = text_of(measures)
    end_work(actor, incident, HANDLE)
    open_decision(actor, incident)
    _tell_second(actor, incident, Term("处置完毕，待复核结案", "handled, to be closed by a second person"))
    return _moved(actor, incident, "handle", incident.measures)


@action(Permission.INCIDENT_HANDLE)
def doubt_incident(actor: Actor, *, number: str, reason: str) -> Incident:
    """It was a false alarm, says the handler; a second person decides."""
    incident = _holding(actor, number, "doubt")
    said = text_of(reason)
    incident.doubt = {"by": actor.name, "reason": said, "at": timezone.now().isoformat()}
    open_decision(actor, incident)
    _tell_second(actor, incident, Term("提出误报，待复核", "called a false alarm, to be decided by a second person"))
    return _moved(actor, incident, "doubt", said)


@action(Permission.INCIDENT_HANDLE)
def note_progress(actor: Actor, *, number: str, text: str) -> Incident:
    """A line of the timeline: what was found or done."""
    return _noted(actor, _holding(actor, number, "note"), "note", text_of(text))


@action(Permission.INCIDENT_HANDLE)
def regrade_incident(actor: Actor, *, number: str, severity: int, reason: str) -> Incident:
    """Another severity. Raises Refused: INCIDENT_SEVERITY, INCIDENT_SAME_SEVERITY."""
    incident = _holding(actor, number, "regrade")
    said = text_of(reason)
    if severity not in SEVERITIES:
        raise Refused(Code.INCIDENT_SEVERITY)
    if severity == incident.severity:
        raise Refused(Code.INCIDENT_SAME_SEVERITY)
    before, after = SEVERITIES[incident.severity], SEVERITIES[severity]
    incident.severity = severity
    return _noted(actor, incident, "regrade", f"{before.zh} → {after.zh}: {said}")


@action(Permission.INCIDENT_HANDLE)
def answer_demand(actor: Actor, *, number: str, demand: UUID, text: str) -> Incident:
    """What an organisation above asked for. Raises Refused(INCIDENT_DEMAND_UNKNOWN) for one answered already."""
    incident = _holding(actor, number, "answer")
    waiting = {entry.key for entry in open_demands(incident)}
    if demand not in waiting:
        raise Refused(Code.INCIDENT_DEMAND_UNKNOWN)
    if waiting == {demand}:
        end_work(actor, incident, ANSWER)
    return _noted(actor, incident, "answer", text_of(text), answers=demand)


def _holding(actor: Actor, number: str, verb: str) -> Incident:
    """The incident locked, for a verb that this actor may do now."""
    incident = locked(actor, number)
    must_be_free(actor, incident, verb)
    return incident


def _moved(actor: Actor, incident: Incident, verb: str, text: str) -> Incident:
    """The state after the verb, its clock stopped, the line written, those above told, the audit row."""
    incident.state = INCIDENT.after(incident.state, verb)
    stop_clock(incident, verb, timezone.now())
    return _noted(actor, incident, verb, text)


def _noted(actor: Actor, incident: Incident, verb: str, text: str, answers: UUID | None = None) -> Incident:
    write(actor, incident, verb, text, answers=answers)
    tell(incident)
    record(actor, f"incident.{verb}", incident.subject, state=incident.state, text=text)
    return incident


def _tell_second(actor: Actor, incident: Incident, said: Term) -> None:
    tell_people(incident, next_at(incident.organisation_id), MOVED, said, but=actor)
