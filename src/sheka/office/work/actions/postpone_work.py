"""Put an item off until somebody else has done something, and take it up again (console.md §4.2.1)."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.locks import lock_own
from sheka.office.work.models import WorkItem
from sheka.office.work.states import ITEM

LONGEST_DAYS = 60


@action(Permission.WORK_USE)
def postpone(actor: Actor, *, item_id: int, until: date, reason: str) -> WorkItem:
    """The item waits, with its person, until the morning of `until`; `reason` says for what.

    Raises Refused: WORK_UNKNOWN, WORK_NOT_YOURS, WORK_DAY, WORK_REASON, STATE_FORBIDS.
    """
    item = lock_own(actor, item_id)
    if not 1 <= (until - timezone.localdate()).days <= LONGEST_DAYS:
        raise Refused(Code.WORK_DAY, days=LONGEST_DAYS)
    clean = reason.strip()
    if not 2 <= len(clean) <= 200:
        raise Refused(Code.WORK_REASON)
    item.state = ITEM.after(item.state, "postpone")
    item.waiting_until, item.waiting_reason = until, clean
    item.save(update_fields=["state", "waiting_until", "waiting_reason"])
    record(actor, "work.postponed", f"work:{item.pk}", about=item.subject, until=until, reason=clean)
    return item


@action(Permission.WORK_USE)
def resume(actor: Actor, *, item_id: int) -> WorkItem:
    """What was waited for is there. Raises Refused: WORK_UNKNOWN, WORK_NOT_YOURS, STATE_FORBIDS."""
    item = lock_own(actor, item_id)
    _wake(item)
    item.save(update_fields=["state", "waiting_until", "waiting_reason"])
    record(actor, "work.resumed", f"work:{item.pk}", about=item.subject)
    return item


@action(Permission.WORK_USE)
def wake_due(actor: Actor) -> int:
    """The clock's turn: items of the actor's organisation whose day has come are open again; how many."""
    rows = WorkItem.objects.select_for_update(skip_locked=True).filter(
        organisation_id=actor.organisation, state="waiting", waiting_until__lte=timezone.localdate()
    )
    items = list(rows.order_by("pk"))
    for item in items:
        _wake(item)
    WorkItem.objects.bulk_update(items, ["state", "waiting_until", "waiting_reason"], batch_size=1000)
    record(actor, "work.resumed", "work", number=len(items), about=[item.subject for item in items])
    return len(items)


def _wake(item: WorkItem) -> None:
    item.state = ITEM.after(item.state, "resume")
    item.waiting_until, item.waiting_reason = None, ""
