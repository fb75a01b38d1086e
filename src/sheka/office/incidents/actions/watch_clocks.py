"""What the clock does for one incident: retries, deadlines that ran out, reports that nobody above has read (K9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.incidents.clocks import CLOCKS
from sheka.office.incidents.desk import LATE, UNREAD, handlers_at, next_at, tell_people
from sheka.office.incidents.models import Incident, Receipt
from sheka.office.incidents.plans import rule
from sheka.office.incidents.stopping import begin, freeze
from sheka.office.incidents.timeline import UNREAD as UNREAD_ABOVE
from sheka.office.incidents.timeline import hold_numbers, tell, write
from sheka.office.messages.outbox import send
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

STEPS = 2
"""To the next role of the same organisation, then to the next level."""


@action(Permission.INCIDENT_VIEW)
def watch_clocks(actor: Actor, *, incident_id: int) -> int:
    """Do what has become due for this copy; the number of things done."""
    incident = Incident.objects.select_for_update(of=("self",)).get(pk=incident_id)
    now, done, lines = timezone.now(), 0, incident.entries.count()
    for receipt in incident.receipts.filter(escalates_at__lte=now, read_at__isnull=True):
        _pass_up(actor, incident, receipt, now)
        done += 1
    if incident.is_origin and incident.runs:
        hold_numbers(incident)
        done += _tell_late(actor, incident, now) + _try_again(incident, now)
    if incident.is_origin and incident.entries.count() > lines:  # the same failure again is no news
        tell(incident)
    record(actor, "incident.watched", incident.subject, done=done)
    return done


def _try_again(incident: Incident, now: datetime) -> int:
    """Freezes and follow-ups that failed and whose time has come."""
    rows = list(incident.affected.filter(state="failed", next_try_at__lte=now))
    further = list(incident.follow_ups.filter(state="failed", next_try_at__lte=now))
    for row in rows:
        freeze(incident, row)
    for one in further:
        begin(incident, one)
    return len(rows) + len(further)


def _tell_late(actor: Actor, incident: Incident, now: datetime) -> int:
    """Each deadline is called late once, on the timeline and to the handler and the second people."""
    late = list(incident.deadlines.filter(due_at__lte=now, met_at__isnull=True, told_at__isnull=True))
    for row in late:
        row.told_at = now
        row.save(update_fields=["told_at"])
        word = CLOCKS[row.name]
        write(actor, incident, "late", row.name)
        people = handlers_at(incident.organisation_id) + next_at(incident.organisation_id)
        tell_people(incident, people, LATE, Term(f"超过时限：{word.zh}", f"past its time: {word.en}"), but=actor)
    return len(late)


def _pass_up(actor: Actor, incident: Incident, receipt: Receipt, now: datetime) -> None:
    """Nobody has signed the report: the next role hears of it, then the next level.

    Each copy looks after its own people; the origin, which knows who has not answered, tells its own and the next
    level.
    """
    receipt.steps += 1
    wait = timedelta(minutes=rule("escalation_minutes"))
    receipt.escalates_at = now + wait if receipt.steps < STEPS else None
    receipt.save(update_fields=["steps", "escalates_at"])
    place = organisation(receipt.place)
    said = Term(f"{place.name}至今无人签阅", f"nobody at {place.name_en} has read it")
    people = next_at(incident.organisation_id)
    if incident.is_origin or receipt.steps == STEPS:
        people = handlers_at(incident.organisation_id) + people
    tell_people(incident, people, UNREAD, said, but=actor)
    if incident.is_origin:
        write(actor, incident, "unread", receipt.place)
        if receipt.steps == STEPS and place.superior is not None:
            payload = {"number": incident.number, "place": place.code}
            send(incident.organisation_id, place.superior.code, UNREAD_ABOVE, payload)
