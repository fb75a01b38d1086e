"""The row of an item, locked, as the actions of the queue need it."""

from __future__ import annotations

from collections.abc import Sequence

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.office.work.models import WorkItem


def lock_items(item_ids: Sequence[int]) -> list[WorkItem]:
    """The items in the order of their keys, so that two actions never wait for each other in a ring.

    Their person is read after the lock: a join under FOR UPDATE keeps what it saw before it waited.
    Raises Refused(WORK_UNKNOWN) when one is not there or out of scope.
    """
    rows = WorkItem.objects.select_for_update(of=("self",)).select_related("organisation")
    found = list(rows.filter(pk__in=item_ids).order_by("pk"))
    missing = set(item_ids) - {item.pk for item in found}
    if missing:
        raise Refused(Code.WORK_UNKNOWN, item=min(missing))
    return found


def lock_own(actor: Actor, item_id: int) -> WorkItem:
    """An item that the actor has. Raises Refused: WORK_UNKNOWN, WORK_NOT_YOURS."""
    (item,) = lock_items([item_id])
    if actor.staff_id is None or item.assignee_id != actor.staff_id:
        raise Refused(Code.WORK_NOT_YOURS, item=item.number)
    return item
