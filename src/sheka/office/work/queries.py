"""Reading the queues: what is mine, what nobody has taken, what waits, what is late, what came back, what I did.

Everything is bounded by the reader's organisation and permissions, and beneath that by row-level security.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from sheka.foundation.calendar import is_working_day
from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_of
from sheka.office.work.kinds import Holder, kinds
from sheka.office.work.merged import Merged
from sheka.office.work.models import WorkItem, WorkNotice
from sheka.office.work.scope import reading_as

COUNTED = 999
"""How far a queue is counted for the rail; what is more is shown as 999+."""
MOST_PLACES = 200
"""Offices whose work a supervisor sees in one list."""
MOST_PEOPLE = 500
_FAR = 400
_PERMISSIONS = """
WITH RECURSIVE found (permission) AS (
    (SELECT permission FROM work_workitem WHERE organisation_id = %(organisation)s AND state = 'open'
        ORDER BY permission LIMIT 1)
    UNION ALL
    SELECT (SELECT permission FROM work_workitem WHERE organisation_id = %(organisation)s AND state = 'open'
        AND permission > found.permission ORDER BY permission LIMIT 1)
    FROM found WHERE found.permission IS NOT NULL
) SELECT permission FROM found WHERE permission IS NOT NULL
"""


def mine(actor: Actor) -> Merged:
    """What this person has to do."""
    return Merged([WorkItem.objects.filter(assignee_id=actor.staff_id, state="open")])


def unassigned(actor: Actor) -> Merged:
    """What this person may take: nobody has it, and it asks for a permission that the person holds."""
    return Merged(_pools(actor, assignee__isnull=True))


def waiting(actor: Actor) -> Merged:
    """What this person has put off until a day, because somebody else has to do something first."""
    return Merged([WorkItem.objects.filter(assignee_id=actor.staff_id, state="waiting")], ("waiting_until", "pk"))


def overdue(actor: Actor) -> Merged:
    """What should have been done before today and this person could do: nobody's or anybody's, and the person's own."""
    late = {"due_on__lt": timezone.localdate()}
    own = mine(actor).parts[0].filter(**late).exclude(organisation_id=actor.organisation, permission__in=_held(actor))
    return Merged([*_pools(actor, **late), own])


def returned(actor: Actor) -> Merged:
    """What came back to this person for completion."""
    return mine(actor).filter(returned=True)


def recent(actor: Actor) -> Merged:
    """What this person did, the latest first."""
    return Merged([WorkItem.objects.filter(closed_by=actor.staff_id, state="done")], ("-closed_at", "-pk"))


def office(actor: Actor) -> Merged:
    """Everything that is not done in the supervisor's organisation and below it. Raises Refused(PERMISSION_MISSING)."""
    actor.require(Permission.WORK_ASSIGN)
    rows = WorkItem.objects.exclude(state="done")
    return Merged([rows.filter(organisation_id=code) for code, _name, _english in places(actor)])


QUEUES: dict[str, Callable[[Actor], Merged]] = {
    "mine": mine,
    "unassigned": unassigned,
    "waiting": waiting,
    "overdue": overdue,
    "returned": returned,
    "recent": recent,
    "office": office,
}


def queues_of(actor: Actor) -> list[str]:
    """The queues that this person has."""
    return [name for name in QUEUES if name != "office" or actor.may(Permission.WORK_ASSIGN)]


def counts(actor: Actor) -> dict[str, int]:
    """How much is in each queue that asks for something, counted to COUNTED + 1 and no further."""
    return {
        name: QUEUES[name](actor).order_by()[: COUNTED + 1].count() for name in queues_of(actor) if name != "recent"
    }


def item_named(actor: Actor, item_id: int) -> WorkItem:
    """An item that the actor may see: of its organisation, its own, or below a supervisor. Raises WORK_UNKNOWN."""
    item = WorkItem.objects.select_related("organisation", "assignee").filter(pk=item_id).first()
    if item is None or not sees(actor, item):
        raise Refused(Code.WORK_UNKNOWN, item=item_id)
    return item


def sees(actor: Actor, item: WorkItem) -> bool:
    """Whether the item is the actor's own, lies in a pool of the actor's, or below it as its supervisor."""
    if item.assignee_id == actor.staff_id or (actor.may(Permission.WORK_ASSIGN) and actor.reaches(item.organisation)):
        return True
    return item.organisation_id == actor.organisation and item.permission in _held(actor)


def places(actor: Actor) -> list[tuple[str, str, str]]:
    """Code and names of the actor's organisation and of those below it, the highest first."""
    found = Organisation.objects.filter(path__within=actor.path).order_by("path")
    return list(found.values_list("code", "name", "name_en")[:MOST_PLACES])


def able(permission: str, organisation: str) -> list[StaffMember]:
    """Who can be given work of this permission: active people of the organisation who hold it today."""
    people = StaffMember.objects.filter(organisation_id=organisation, is_active=True).select_related("organisation")
    return [
        person for person in people.order_by("name", "pk") if Permission(permission) in actor_of(person).permissions
    ]


def people_below(actor: Actor) -> list[StaffMember]:
    """To whom a supervisor may give work: active people of the actor's organisation and below, at most MOST_PEOPLE."""
    actor.require(Permission.WORK_ASSIGN)
    people = StaffMember.objects.filter(organisation__path__within=actor.path, is_active=True)
    return list(people.select_related("organisation").order_by("organisation__path", "name", "pk")[:MOST_PEOPLE])


def holders_of(items: Iterable[WorkItem]) -> dict[tuple[str, str], Holder]:
    """Kind and subject → whose case it is, for the items of a page whose kind knows; one question a kind."""
    asked: dict[str, list[str]] = {}
    for item in items:
        asked.setdefault(item.kind, []).append(item.subject)
    found = {}
    for name, subjects in asked.items():
        kind = kinds().get(name)
        if kind is not None and kind.holders is not None:
            found.update({(name, subject): holder for subject, holder in kind.holders(subjects).items()})
    return found


@lru_cache(maxsize=4096)
def working_days_left(due_on: date, today: date) -> int:
    """Working days from the day after `today` to `due_on`; 0 on the day itself, below 0 when it is past.

    >>> today = date(2026, 9, 30)
    >>> working_days_left(date(2026, 10, 12), today), working_days_left(date(2026, 9, 29), today)
    (4, -1)
    """
    if due_on < today:
        return -working_days_left(today, due_on)
    ahead = min((due_on - today).days, _FAR)
    return sum(is_working_day(today + timedelta(days=number)).working for number in range(1, ahead + 1))


def _held(actor: Actor) -> list[str]:
    return sorted(permission.value for permission in actor.permissions)


def _pools(actor: Actor, **more: Any) -> list[QuerySet[WorkItem]]:
    """The open items of the actor's organisation, one part a permission that the actor holds and an item asks for."""
    rows = WorkItem.objects.filter(organisation_id=actor.organisation, state="open", **more)
    asked_for = set(_permissions_asked_for(actor.organisation))
    return [rows.filter(permission=permission) for permission in _held(actor) if permission in asked_for]


def _permissions_asked_for(organisation: str) -> list[str]:
    """The permissions of the open items of an organisation: one look into the index each, however many items wait."""
    with connection.cursor() as cursor:
        cursor.execute(_PERMISSIONS, {"organisation": organisation})
        return [row[0] for row in cursor.fetchall()]


def unread(actor: Actor) -> int:
    """How many notices the actor has not read, counted to COUNTED + 1 and no further."""
    if actor.staff_id is None:
        return 0
    with reading_as(actor.staff_id):
        return WorkNotice.objects.filter(staff_id=actor.staff_id, read_at__isnull=True)[: COUNTED + 1].count()


def notices_of(
    actor: Actor, *, only_unread: bool = False, before: int | None = None, most: int = 50
) -> list[WorkNotice]:
    """The actor's notices, the latest first; those older than the notice `before`."""
    if actor.staff_id is None:
        return []
    with reading_as(actor.staff_id):
        rows = WorkNotice.objects.filter(staff_id=actor.staff_id).order_by("-pk")
        if only_unread:
            rows = rows.filter(read_at__isnull=True)
        if before is not None:
            rows = rows.filter(pk__lt=before)
        return list(rows[:most])
