"""Put work back into the pool: one item by the person who has it, all of them when the person leaves."""

from __future__ import annotations

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.locks import lock_own
from sheka.office.work.models import WorkItem
from sheka.office.work.states import ITEM, NOT_DONE

_FREED = ("assignee", "state", "returned", "waiting_until", "waiting_reason")


@action(Permission.WORK_USE)
def give_back(actor: Actor, *, item_id: int) -> WorkItem:
    """Somebody else may take it now. Raises Refused: WORK_UNKNOWN, WORK_NOT_YOURS, STATE_FORBIDS."""
    item = lock_own(actor, item_id)
    _free(item)
    item.save(update_fields=_FREED)
    record(actor, "work.given_back", f"work:{item.pk}", kind=item.kind, about=item.subject)
    return item


def give_back_all_of(actor: Actor, staff_id: int) -> int:
    """What a person who leaves still had goes back to the pools; called by that action, in its transaction.

    Returns how many items there were.
    """
    items = list(WorkItem.objects.select_for_update().filter(assignee_id=staff_id, state__in=NOT_DONE).order_by("pk"))
    for item in items:
        _free(item)
    WorkItem.objects.bulk_update(items, _FREED, batch_size=1000)
    if items:
        subjects = [item.subject for item in items]
        record(actor, "work.given_back", f"staff:{staff_id}", number=len(items), about=subjects)
    return len(items)


def _free(item: WorkItem) -> None:
    item.state = ITEM.after(item.state, "give_back")
    item.assignee, item.returned, item.waiting_until, item.waiting_reason = None, False, None, ""
