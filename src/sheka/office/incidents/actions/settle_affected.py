"""What becomes of the things that an incident affects: added, frozen, replaced, destroyed, let go (K9)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.incidents.actions.report_incident import MOST, subjects_of, text_of
from sheka.office.incidents.guards import decision_digest, must_be_free
from sheka.office.incidents.models import Affected, Incident
from sheka.office.incidents.queries import locked
from sheka.office.incidents.states import AFFECTED
from sheka.office.incidents.stopping import freeze, stop_by_plan, thaw
from sheka.office.incidents.timeline import hold_numbers, tell, write
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import use_confirmation
from sheka.office.staff.permissions import Permission


@action(Permission.INCIDENT_HANDLE)
def add_affected(actor: Actor, *, number: str, subject: str) -> Incident:
    """One more thing is concerned: the plan's freeze and follow-ups run for it. What is listed already stays as it is.

    Raises Refused: INCIDENT_SUBJECT, INCIDENT_TOO_MANY.
    """
    incident = _holding(actor, number, "add")
    (named,) = subjects_of([subject])
    if incident.affected.count() >= MOST:
        raise Refused(Code.INCIDENT_TOO_MANY, most=MOST)
    row, made = Affected.objects.get_or_create(incident=incident, subject=named)
    if made:
        write(actor, incident, "add", named)
        hold_numbers(incident)
        stop_by_plan(incident, [row])
    tell(incident)
    record(actor, "incident.add", incident.subject, affected=named, state=row.state)
    return incident


@action(Permission.INCIDENT_HANDLE)
def freeze_affected(actor: Actor, *, number: str, subject: str) -> Affected:
    """Freeze what the plan did not freeze, or try again what failed. Raises Refused: INCIDENT_AFFECTED_UNKNOWN."""
    incident = _holding(actor, number, "freeze")
    row = affected_named(incident, subject)
    hold_numbers(incident)
    freeze(incident, row)
    tell(incident)
    record(actor, "incident.freeze", incident.subject, affected=row.subject, state=row.state, failure=row.failure)
    return row


@action(Permission.INCIDENT_HANDLE)
def settle_affected(actor: Actor, *, number: str, subject: str, verb: str, reason: str) -> Affected:
    """`verb`: replace or destroy. The thing stays frozen for good. Raises Refused: STATE_FORBIDS."""
    incident = _holding(actor, number, "settle")
    return _settled(actor, incident, affected_named(incident, subject), verb, text_of(reason))


@action(Permission.INCIDENT_CLOSE)
def release_affected(actor: Actor, *, number: str, subject: str, verb: str, reason: str) -> Affected:
    """`verb`: thaw lets a frozen thing go; waive gives up a freeze that failed because nothing is there. By a second
    person, with presence proved for `guards.decision_digest(incident, verb, subject)`.

    Raises Refused: INCIDENT_OWN, INCIDENT_NOT_THAWED, CONFIRMATION_NEEDED, STATE_FORBIDS.
    """
    incident = _holding(actor, number, "release")
    row = affected_named(incident, subject)
    AFFECTED.after(row.state, verb)
    said = text_of(reason)
    use_confirmation(actor, decision_digest(incident, verb, subject))
    hold_numbers(incident)
    answer = thaw(incident, row) if verb == "thaw" else ""
    return _settled(actor, incident, row, verb, said, answer)


def affected_named(incident: Incident, subject: str) -> Affected:
    """Raises Refused(INCIDENT_AFFECTED_UNKNOWN)."""
    row = incident.affected.select_for_update().filter(subject=subject).first()
    if row is None:
        raise Refused(Code.INCIDENT_AFFECTED_UNKNOWN, subject=subject[:60])
    return row


def _settled(
    actor: Actor, incident: Incident, row: Affected, verb: str, reason: str, answer: str | None = None
) -> Affected:
    row.state = AFFECTED.after(row.state, verb)
    row.decided_at, row.decided_by, row.reason, row.next_try_at = timezone.now(), actor.name, reason[:400], None
    row.answer = row.answer if answer is None else answer
    row.save()
    write(actor, incident, verb, f"{row.subject}: {reason}")
    tell(incident)
    record(actor, f"incident.{verb}", incident.subject, affected=row.subject, reason=reason)
    return row


def _holding(actor: Actor, number: str, verb: str) -> Incident:
    incident = locked(actor, number)
    must_be_free(actor, incident, verb)
    return incident
