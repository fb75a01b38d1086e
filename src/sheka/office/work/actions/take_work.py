"""Take work out of the pool: an item that was chosen, or whatever comes next (issue 3)."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.locks import lock_items
from sheka.office.work.models import WorkItem
from sheka.office.work.queries import unassigned
from sheka.office.work.states import ITEM

_LOOKED_AT = 20
"""Items from the front of the pool that are tried at once: others may be taking the first of them."""


@action(Permission.WORK_USE)
def take_work(actor: Actor, *, item_id: int) -> WorkItem:
    """The item is the actor's from now on.

    Raises Refused: WORK_UNKNOWN, WORK_TAKEN, WORK_NOT_ENTITLED, ORGANISATION_OUT_OF_REACH, STATE_FORBIDS.
    """
    (item,) = lock_items([item_id])
    ITEM.after(item.state, "take")
    if item.assignee:
        raise Refused(Code.WORK_TAKEN, item=item.number, name=item.assignee.name)
    if item.organisation_id != actor.organisation:
        raise Refused(Code.ORGANISATION_OUT_OF_REACH, organisation=item.organisation.name)
    if actor.staff_id is None or item.permission not in actor.permissions:
        raise Refused(Code.WORK_NOT_ENTITLED, name=actor.name, item=item.number, permission=item.permission)
    return _take(actor, item)


@action(Permission.WORK_USE)
def take_next(actor: Actor, *, kind: str = "") -> WorkItem:
    """The item of the pool that is due first and that nobody else is taking now. Raises Refused(WORK_NOTHING_NEXT)."""
    rows = unassigned(actor).filter(kind=kind) if kind else unassigned(actor)
    looked_at = _LOOKED_AT if actor.staff_id is not None else 0
    seen = 0
    while looked_at:
        keys = [item.pk for item in rows[0:looked_at]]
        free = WorkItem.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            pk__in=keys, state="open", assignee__isnull=True
        )
        item = free.order_by("due_on", "pk").first()
        if item is not None:
            return _take(actor, item)
        looked_at = looked_at * 4 if len(keys) > seen else 0
        seen = len(keys)
    raise Refused(Code.WORK_NOTHING_NEXT)


def _take(actor: Actor, item: WorkItem) -> WorkItem:
    item.assignee_id = actor.staff_id
    item.save(update_fields=["assignee"])
    record(actor, "work.taken", f"work:{item.pk}", kind=item.kind, about=item.subject)
    return item
