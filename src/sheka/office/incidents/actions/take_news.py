"""What the copies of an incident tell each other: the origin its account, those above their words (K9, design §4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.incidents.actions.decide_incident import decided
from sheka.office.incidents.desk import (
    MOVED,
    REPORTED,
    UNREAD,
    handlers_at,
    next_at,
    superiors_of,
    tell_people,
)
from sheka.office.incidents.models import Affected, Deadline, Entry, FollowUp, Incident, Receipt
from sheka.office.incidents.plans import rule
from sheka.office.incidents.states import ENDED
from sheka.office.incidents.timeline import TIMES, WHOLE, say, tell, write
from sheka.office.incidents.work import open_answer, open_reading
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

LOUD = {
    "close": Term("已结案", "closed"),
    "dismiss": Term("已确认为误报", "agreed to be a false alarm"),
    "reopen": Term("重新开启", "opened again"),
    "answer": Term("已答复补充要求", "what was asked for is answered"),
    "late": Term("处置超过时限", "past its time"),
    "freeze_failed": Term("有对象冻结失败", "something could not be frozen"),
}
"""Lines of the timeline of which the people above get a notice."""


@action(Permission.INCIDENT_VIEW)
def take_account(actor: Actor, *, source: str, told: dict[str, Any]) -> Incident | None:
    """Take the origin's account when it is newer than the own copy; None for one that came again or was overtaken.

    Raises Refused(INCIDENT_NOT_CREDIBLE) unless the sender is the origin and this organisation stands above it.
    """
    above = [place.code for place in superiors_of(organisation(told["origin"]))]
    if source != told["origin"] or actor.organisation not in above:
        raise Refused(Code.INCIDENT_NOT_CREDIBLE, source=source)
    rows = Incident.objects.select_for_update(of=("self",))
    mine = rows.filter(number=told["number"], organisation_id=actor.organisation).first()
    if mine is not None and mine.serial >= told["serial"]:
        record(actor, "incident.told", mine.subject, by=source, serial=told["serial"], newer=False)
        return None
    came = mine or Incident(number=told["number"], organisation_id=actor.organisation)
    for name in WHOLE:
        setattr(came, name, told[name])
    for name in TIMES:
        setattr(came, name, _time(told[name]))
    came.save()
    fresh = _keep_rows(came, told)
    if mine is None:
        _arrived(actor, came)
    else:
        for verb in LOUD.keys() & fresh:
            tell_people(came, handlers_at(actor.organisation), MOVED, LOUD[verb], but=actor)
    record(actor, "incident.told", came.subject, by=source, serial=came.serial, newer=True)
    return came


@action(Permission.INCIDENT_VIEW)
def take_word(actor: Actor, *, source: str, number: str, entry: dict[str, Any]) -> Incident | None:
    """Take a line from above into the timeline; None for one that came again.

    Raises Refused: INCIDENT_UNKNOWN, INCIDENT_NOT_CREDIBLE unless it comes from who was told.
    """
    rows = Incident.objects.select_for_update(of=("self",))
    incident = rows.filter(number=number, organisation_id=actor.organisation, origin=actor.organisation).first()
    if incident is None:
        raise Refused(Code.INCIDENT_UNKNOWN, number=number)
    receipt = incident.receipts.filter(place=source).first()
    if receipt is None or entry["place"] != source or entry["verb"] not in ("arrived", "read", "demand"):
        raise Refused(Code.INCIDENT_NOT_CREDIBLE, source=source)
    if incident.entries.filter(key=UUID(entry["key"])).exists():
        record(actor, "incident.heard", incident.subject, by=source, verb=entry["verb"], again=True)
        return None
    _keep_entry(incident, entry)
    at = datetime.fromisoformat(entry["at"])
    if entry["verb"] == "arrived":
        receipt.arrived_at = at
    elif entry["verb"] == "read" and receipt.read_at is None:
        receipt.read_at, receipt.read_by, receipt.escalates_at = at, entry["name"], None
    receipt.save()
    if entry["verb"] == "demand":
        if incident.state in ENDED:
            decided(actor, incident, "reopen", entry["text"])
        open_answer(actor, incident)
        people = handlers_at(actor.organisation)
        tell_people(incident, people, MOVED, Term("上级要求补充", "a superior asks for more"), but=actor)
    tell(incident)
    record(actor, "incident.heard", incident.subject, by=source, verb=entry["verb"], again=False)
    return incident


@action(Permission.INCIDENT_VIEW)
def take_unread(actor: Actor, *, source: str, number: str, place: str) -> None:
    """The level below has not read what was reported to it: the people here hear of it.

    Raises Refused: INCIDENT_UNKNOWN, INCIDENT_NOT_CREDIBLE.
    """
    incident = Incident.objects.filter(number=number, organisation_id=actor.organisation).first()
    if incident is None:
        raise Refused(Code.INCIDENT_UNKNOWN, number=number)
    if source != incident.origin:
        raise Refused(Code.INCIDENT_NOT_CREDIBLE, source=source)
    below = organisation(place)
    said = Term(f"{below.name}至今无人签阅，请督促", f"nobody at {below.name_en} has read it: see to it")
    people = handlers_at(actor.organisation) + next_at(actor.organisation)
    tell_people(incident, people, UNREAD, said, but=actor)
    record(actor, "incident.unread", incident.subject, place=place)


def _arrived(actor: Actor, came: Incident) -> None:
    """It is new here: somebody has to sign it, and the origin learns that it arrived."""
    now = timezone.now()
    came.receipts.filter(place=actor.organisation).update(
        arrived_at=now, escalates_at=now + timedelta(minutes=rule("escalation_minutes")) if came.runs else None
    )
    open_reading(actor, came)
    people = handlers_at(actor.organisation) or next_at(actor.organisation)
    tell_people(came, people, REPORTED, Term("下级报告，请立即签阅", "reported from below, read it at once"), but=actor)
    say(actor, came, write(actor, came, "arrived"))


def _keep_rows(came: Incident, told: dict[str, Any]) -> set[str]:
    """The rows as they were told; the own receipt stays the own. The verbs of the lines that are new."""
    for row in told["affected"]:
        _put(Affected, came, row, "subject")
    for row in told["follow_ups"]:
        _put(FollowUp, came, row, "name", "subject")
    for row in told["deadlines"]:
        _put(Deadline, came, row, "name")
    for row in told["receipts"]:
        if row["place"] != came.organisation_id or not came.receipts.filter(place=row["place"]).exists():
            _put(Receipt, came, row | {"escalates_at": None}, "place")
    known = {str(key) for key in came.entries.values_list("key", flat=True)}
    fresh = [row for row in told["entries"] if row["key"] not in known]
    for row in fresh:
        _keep_entry(came, row)
    return {row["verb"] for row in fresh}


def _put(model: type[Affected | FollowUp | Deadline | Receipt], came: Incident, row: dict[str, Any], *by: str) -> None:
    values = {name: _time(row[name]) if name.endswith("_at") else row[name] for name in model.FIELDS}
    model.objects.update_or_create(incident=came, **{name: values.pop(name) for name in by}, defaults=values)


def _keep_entry(incident: Incident, row: dict[str, Any]) -> None:
    values = {name: row[name] for name in Entry.FIELDS}
    values |= {"key": UUID(row["key"]), "answers": UUID(row["answers"]) if row["answers"] else None}
    Entry.objects.create(incident=incident, **values | {"at": datetime.fromisoformat(row["at"])})


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
