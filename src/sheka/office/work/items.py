"""Opening and closing work: called by a system's actions, in their transaction (issue 3, console.md §4.2.1).

The action that calls is the audited one, so opening and closing write no audit row of their own; what people do with
their queue (actions/) does.
"""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.kinds import kind_named, work_kind
from sheka.office.work.models import WorkItem
from sheka.office.work.states import ITEM, NOT_DONE

__all__ = ["close_work", "open_work", "work_kind"]


def open_work(
    actor: Actor,
    *,
    kind: str,
    subject: str,
    organisation: str,
    permission: Permission,
    title_zh: str,
    title_en: str,
    due_on: date | None = None,
    assignee_id: int | None = None,
    returned: bool = False,
) -> WorkItem:
    """Put an item into the pool of `organisation`, or before one person there.

    `permission`: who in that organisation may take it. `returned`: it came back to the person for completion. When the
    same kind is open for the subject already, that item is the answer, unchanged: a step that is told twice waits once.
    Raises LookupError for a kind that nobody declared.
    """
    kind_named(kind)
    item, _made = WorkItem.objects.get_or_create(
        kind=kind,
        subject=subject,
        organisation_id=organisation,
        state__in=NOT_DONE,
        defaults={
            "permission": permission.value,
            "title_zh": title_zh,
            "title_en": title_en,
            "due_on": due_on,
            "assignee_id": assignee_id,
            "returned": returned,
            "opened_at": timezone.now(),
            "opened_by": actor.name,
        },
    )
    return item


def close_work(actor: Actor, kind: str, subject: str, *, organisation: str | None = None) -> WorkItem | None:
    """The work is done, or there is nothing to do any more: whoever did it, the item is done.

    `organisation` when several hold an item about the same subject. Nothing open is no error: None.
    """
    rows = WorkItem.objects.select_for_update().filter(kind=kind, subject=subject, state__in=NOT_DONE)
    if organisation is not None:
        rows = rows.filter(organisation_id=organisation)
    item = rows.first()
    if item is None:
        return None
    item.state = ITEM.after(item.state, "close")
    item.closed_at, item.closed_by = timezone.now(), actor.staff_id
    item.waiting_until, item.waiting_reason = None, ""
    item.save(update_fields=["state", "closed_at", "closed_by", "waiting_until", "waiting_reason"])
    return item
