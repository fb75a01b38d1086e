"""The work that incidents give, and the notices that go with them (K9)."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.office.incidents.desk import LATE, MOVED, REPORTED, UNREAD
from sheka.office.incidents.models import Incident
from sheka.office.incidents.plans import SEVERITIES, kind_named
from sheka.office.incidents.queries import readable_by
from sheka.office.incidents.states import STATE_WORDS
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work, open_work
from sheka.office.work.kinds import Address, work_kind
from sheka.office.work.notices import notice_kind
from sheka.office.work.search import MOST, Asked, Found, finder

HANDLE, READ, ANSWER, DECIDE, DRILL = (
    "incident.handle", "incident.read", "incident.answer", "incident.decide", "incident.drill",
)  # fmt: skip
DRILL_DUE = "incident.drill_due"


def _page(subject: str) -> Address:
    return "console:incidents_one", subject.partition(":")[2]


def _plan(subject: str) -> Address:
    return "console:incidents_plan", subject.partition(":")[2]


work_kind(HANDLE, Term("安全事件处置", "Incident to handle"), address=_page, todo=Term("处置", "Handle"), tone="stop")
work_kind(READ, Term("安全事件待签阅", "Incident to read"), address=_page, todo=Term("签阅", "Read"), tone="stop")
work_kind(
    ANSWER, Term("上级要求补充", "Superior asks for more"), address=_page, todo=Term("答复", "Answer"), tone="stop"
)
work_kind(DECIDE, Term("安全事件待复核", "Incident to close"), address=_page, todo=Term("复核", "Decide"))
work_kind(DRILL, Term("应急演练到期", "Drill due"), address=_plan, todo=Term("登记演练", "Record a drill"))

notice_kind(DRILL_DUE, Term("应急演练到期", "Drill due"), severity="wait", escalates_after=14, address=_plan)
notice_kind(REPORTED, Term("安全事件", "Security incident"), severity="stop", escalates_after=1, address=_page)
notice_kind(MOVED, Term("安全事件进展", "News of an incident"), severity="wait", address=_page)
notice_kind(UNREAD, Term("安全事件无人签阅", "Incident that nobody read"), severity="stop", address=_page)
notice_kind(LATE, Term("安全事件超时", "Incident past its time"), severity="stop", address=_page)


def open_handling(actor: Actor, incident: Incident) -> None:
    """Somebody of the bureau has to handle it."""
    _open(actor, incident, HANDLE, Permission.INCIDENT_HANDLE)


def open_reading(actor: Actor, incident: Incident) -> None:
    """Somebody above has to sign that it was read."""
    _open(actor, incident, READ, Permission.INCIDENT_HANDLE)


def open_answer(actor: Actor, incident: Incident) -> None:
    """A superior asked for more."""
    _open(actor, incident, ANSWER, Permission.INCIDENT_HANDLE)


def open_decision(actor: Actor, incident: Incident) -> None:
    """A second person has to close it, or to say whether it was a false alarm."""
    _open(actor, incident, DECIDE, Permission.INCIDENT_CLOSE)


def end_work(actor: Actor, incident: Incident, *kinds: str) -> None:
    """Nothing of this is to be done any more in the organisation of this copy."""
    for kind in kinds or (HANDLE, ANSWER, DECIDE):
        close_work(actor, kind, incident.subject, organisation=incident.organisation_id)


def _open(actor: Actor, incident: Incident, kind: str, permission: Permission) -> None:
    title, grade = kind_named(incident.kind).title, SEVERITIES[incident.severity]
    open_work(
        actor,
        kind=kind,
        subject=incident.subject,
        organisation=incident.organisation_id,
        permission=permission,
        title_zh=f"{title.zh}，{grade.zh}",
        title_en=f"{title.en}, {grade.en}",
        due_on=timezone.localdate(incident.due_at) if incident.due_at else timezone.localdate(),
    )


def find_incidents(actor: Actor, asked: Asked) -> list[Found]:
    """Incidents by the beginning of their number, or by a thing that they affect."""
    if not asked.is_number:
        return []
    text = asked.text.upper()
    about = Q(number__startswith=text) | Q(affected__subject__endswith=f":{asked.text}")
    rows = readable_by(actor).filter(about).distinct().order_by("-reported_at")[: MOST + 1]
    return [
        Found(
            name=kind_named(row.kind).title,
            number=row.number,
            note=SEVERITIES[row.severity],
            state=STATE_WORDS[row.state],
            tone="stop" if row.runs else "still",
            address=_page(row.subject),
            exact=row.number == text,
        )
        for row in rows
    ]


finder("incidents", Term("安全事件", "Incidents"), find_incidents, needs=(Permission.INCIDENT_VIEW,))
