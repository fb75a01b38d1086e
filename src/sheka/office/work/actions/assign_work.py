"""A supervisor gives work to a person, one item or many at once, and every change of hands is on record (issue 3)."""

from __future__ import annotations

from collections.abc import Sequence

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_of
from sheka.office.work.locks import lock_items
from sheka.office.work.models import WorkItem
from sheka.office.work.notices import notify
from sheka.office.work.states import ITEM

MOST = 200


@action(Permission.WORK_ASSIGN)
def assign_work(actor: Actor, *, item_ids: Sequence[int], to: int) -> list[WorkItem]:
    """All of the items go to the person `to`, or none does.

    The person belongs to the organisation of every item and holds the permission that each asks for; the supervisor's
    own organisation is that one or stands above it. The person is told.
    Raises Refused: WORK_NONE_CHOSEN, WORK_UNKNOWN, ORGANISATION_OUT_OF_REACH, STAFF_UNKNOWN, STAFF_INACTIVE,
    WORK_OTHER_ORGANISATION, WORK_NOT_ENTITLED, STATE_FORBIDS.
    """
    if not 1 <= len(set(item_ids)) <= MOST:
        raise Refused(Code.WORK_NONE_CHOSEN, most=MOST)
    items = lock_items(item_ids)
    for item in items:
        actor.must_act_for(item.organisation)
    person = StaffMember.objects.select_related("organisation").filter(pk=to).first()
    if person is None:
        raise Refused(Code.STAFF_UNKNOWN, name=to)
    able = actor_of(person)
    before = {item.pk: item.assignee.login if item.assignee else None for item in items}
    for item in items:
        _must_fit(item, able)
        item.state = ITEM.after(item.state, "assign")
        item.assignee, item.waiting_until, item.waiting_reason = person, None, ""
    WorkItem.objects.bulk_update(items, ["state", "assignee", "waiting_until", "waiting_reason"])
    moved = [{"about": item.subject, "kind": item.kind, "was": before[item.pk]} for item in items]
    subject = f"work:{items[0].pk}" if len(items) == 1 else "work"
    record(actor, "work.assigned", subject, to=person.login, items=moved)
    if person.pk != actor.staff_id:
        _tell(actor, person, items)
    return items


def _must_fit(item: WorkItem, able: Actor) -> None:
    if item.organisation_id != able.organisation:
        raise Refused(
            Code.WORK_OTHER_ORGANISATION, name=able.name, item=item.number, organisation=item.organisation.name
        )
    if item.permission not in able.permissions:
        raise Refused(Code.WORK_NOT_ENTITLED, name=able.name, item=item.number, permission=item.permission)


def _tell(actor: Actor, person: StaffMember, items: Sequence[WorkItem]) -> None:
    first, number = items[0], len(items)
    more_zh, more_en = (f"等 {number} 件", f" and {number - 1} more") if number > 1 else ("", "")
    notify(
        person.pk,
        "work.assigned",
        f"work:{first.pk}",
        zh=f"{actor.name}把“{first.title_zh}”{more_zh}交给您办理",
        en=f"{actor.name} has assigned “{first.title_en}”{more_en} to you",
    )
