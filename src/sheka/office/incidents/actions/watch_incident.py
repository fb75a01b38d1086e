"""What an organisation above does with an incident that was reported to it: sign it as read, ask for more (K9)."""

from __future__ import annotations

from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.incidents.actions.report_incident import text_of
from sheka.office.incidents.guards import must_be_free
from sheka.office.incidents.models import Incident
from sheka.office.incidents.queries import locked
from sheka.office.incidents.timeline import say, write
from sheka.office.incidents.work import READ, end_work
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


@action(Permission.INCIDENT_VIEW)
def read_incident(actor: Actor, *, number: str) -> Incident:
    """This person has read it; the first of an organisation is its receipt. Raises Refused: INCIDENT_READ_ALREADY."""
    incident = locked(actor, number)
    must_be_free(actor, incident, "read")
    incident.receipts.filter(place=actor.organisation, read_at__isnull=True).update(
        read_at=timezone.now(), read_by=actor.name, escalates_at=None
    )
    end_work(actor, incident, READ)
    say(actor, incident, write(actor, incident, "read"))
    record(actor, "incident.read", incident.subject, serial=incident.serial)
    return incident


@action(Permission.INCIDENT_HANDLE)
def demand_more(actor: Actor, *, number: str, text: str) -> Incident:
    """Ask those who handle it for something. An incident that was closed is opened again by it."""
    incident = locked(actor, number)
    must_be_free(actor, incident, "demand")
    said = text_of(text)
    say(actor, incident, write(actor, incident, "demand", said))
    record(actor, "incident.demand", incident.subject, text=said)
    return incident
