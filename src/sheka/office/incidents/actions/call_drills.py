"""Plans that were not exercised for a year are put before who keeps them (K9)."""

from __future__ import annotations

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.incidents.drills import plans_and_drills
from sheka.office.incidents.work import DRILL, DRILL_DUE
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import open_work
from sheka.office.work.models import WorkItem
from sheka.office.work.notices import notify
from sheka.office.work.queries import able
from sheka.office.work.states import NOT_DONE


@action(Permission.INCIDENT_PLAN)
def call_drills(actor: Actor) -> int:
    """A work item for each plan whose drill is near or overdue, and one notice for each to who keeps the plans."""
    called = 0
    waiting = WorkItem.objects.filter(kind=DRILL, organisation_id=actor.organisation, state__in=NOT_DONE)
    known = set(waiting.values_list("subject", flat=True))
    for row in plans_and_drills(actor.organisation):
        subject = f"plan:{row.kind.name}"
        if not row.near or subject in known:
            continue
        zh, en = f"演练：{row.kind.title.zh}", f"Drill: {row.kind.title.en}"
        open_work(
            actor,
            kind=DRILL,
            subject=subject,
            organisation=actor.organisation,
            permission=Permission.INCIDENT_PLAN,
            title_zh=zh,
            title_en=en,
            due_on=row.due_on,
        )
        for person in able(Permission.INCIDENT_PLAN, actor.organisation):
            notify(person.pk, DRILL_DUE, subject, zh=f"{zh}，应于{row.due_on}前", en=f"{en}, due on {row.due_on}")
        called += 1
    record(actor, "incident.drills_called", f"organisation:{actor.organisation}", called=called)
    return called
