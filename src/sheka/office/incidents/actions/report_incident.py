"""Report an incident: everybody on the staff may, and at once everything goes its way (K9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.documents.subjects import SUBJECT
from sheka.office.incidents.clocks import start_clocks
from sheka.office.incidents.desk import REPORTED, desk_of, handlers_at, superiors_of, tell_people, with_roles
from sheka.office.incidents.models import Affected, Incident, Receipt
from sheka.office.incidents.plans import SEVERITIES, InForce, kind_named, plan_in_force, rule, things
from sheka.office.incidents.stopping import stop_by_plan
from sheka.office.incidents.timeline import hold_numbers, tell, write
from sheka.office.incidents.work import open_handling
from sheka.office.organisations.models import Organisation
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

SHORTEST, LONGEST, MOST = 5, 4000, 50
_CLOCKS_DIFFER = timedelta(minutes=2)


@action(Permission.INCIDENT_REPORT)
def report_incident(
    actor: Actor,
    *,
    kind: str,
    subject: str | Sequence[str] = (),
    about: str,
    noticed_at: datetime | None = None,
    severity: int | None = None,
) -> Incident:
    """The incident as the bureau of the actor's organisation now holds it.

    `subject`: what is affected, one or several of "carrier:…", "key:…", "psam:…", "terminal:…", "card_range:…" and what
    else policy/incidents.toml names. In this transaction those above are told (a message each), the plan's freezes and
    follow-ups run, the people of the plan get their notice and the handlers their work. A freeze that fails does not
    hold the report up: it is tried again by the clock.

    Raises Refused: INCIDENT_KIND, INCIDENT_SUBJECT, INCIDENT_TOO_MANY, INCIDENT_TEXT, INCIDENT_MOMENT,
    INCIDENT_SEVERITY.
    """
    wanted, now = kind_named(kind), timezone.now()
    subjects = subjects_of([subject] if isinstance(subject, str) else subject)
    about, noticed = text_of(about), _moment(noticed_at, now)
    if severity is not None and severity not in SEVERITIES:
        raise Refused(Code.INCIDENT_SEVERITY)
    place = desk_of(actor.organisation)
    plan = plan_in_force_at(place, wanted.name)
    with acting_in(actor.scope, place.path):  # whoever reports writes into the books of the bureau, and only here
        made = Incident.objects.create(
            number=_number(place.code, now),
            organisation=place,
            origin=place.code,
            kind=wanted.name,
            severity=severity or plan.content.severity,
            about=about,
            noticed_at=noticed,
            reported_at=now,
            reported_by=actor.name,
            reported_from=actor.organisation,
            reporter_id=actor.staff_id,
            plan=plan.content.plain(),
            plan_version=plan.version,
        )
        rows = [Affected.objects.create(incident=made, subject=each) for each in subjects]
        start_clocks(made, now)
        _address(made, superiors_of(place), now)
        write(actor, made, "report", about, at=now)
        open_handling(actor, made)
        told = with_roles(place.code, plan.content.notify) + handlers_at(place.code)
        tell_people(made, told, REPORTED, Term("新报告，请立即处置", "reported, act at once"), but=actor)
        hold_numbers(made)
        stop_by_plan(made, rows)
        tell(made)
    record(actor, "incident.reported", made.subject, kind=kind, severity=made.severity, affected=subjects)
    return made


def plan_in_force_at(place: Organisation, kind: str) -> InForce:
    """The bureau's plan today, read in its own scope."""
    with acting_in(place.path):
        return plan_in_force(place.code, kind, timezone.localdate())


def subjects_of(given: Sequence[str]) -> list[str]:
    """Each once. Raises Refused: INCIDENT_SUBJECT, INCIDENT_TOO_MANY."""
    found = list(dict.fromkeys(text.strip() for text in given))
    for text in found:
        if not SUBJECT.fullmatch(text) or text.partition(":")[0] not in things():
            raise Refused(Code.INCIDENT_SUBJECT, subject=text[:60])
    if len(found) > MOST:
        raise Refused(Code.INCIDENT_TOO_MANY, most=MOST)
    return found


def text_of(text: str, shortest: int = SHORTEST) -> str:
    """What somebody wrote. Raises Refused(INCIDENT_TEXT)."""
    said = text.strip()
    if not shortest <= len(said) <= LONGEST:
        raise Refused(Code.INCIDENT_TEXT, shortest=shortest, longest=LONGEST)
    return said


def _moment(noticed: datetime | None, now: datetime) -> datetime:
    """Raises Refused(INCIDENT_MOMENT) for a time to come, one too long ago, or one without its zone."""
    if noticed is None:
        return now
    naive = timezone.is_naive(noticed)
    if naive or not now - timedelta(days=rule("find_days")) <= noticed <= now + _CLOCKS_DIFFER:
        raise Refused(Code.INCIDENT_MOMENT, days=rule("find_days"))
    return noticed


def _number(code: str, now: datetime) -> str:
    """The next number of the day: I460100-20261122-01. Nobody else takes it before the transaction ends."""
    prefix = f"I{code}-{timezone.localtime(now):%Y%m%d}-"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 3900))", [prefix])
    return f"{prefix}{Incident.objects.filter(number__startswith=prefix).count() + 1:02d}"


def _address(incident: Incident, above: list[Organisation], now: datetime) -> None:
    """Those above get a copy; while nobody there signs it, it goes further up after so many minutes."""
    wait = timedelta(minutes=rule("escalation_minutes"))
    for place in above:
        Receipt.objects.create(incident=incident, place=place.code, sent_at=now, escalates_at=now + wait)
