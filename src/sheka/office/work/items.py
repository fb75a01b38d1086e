"""Opening and closing work: called by a system's actions, in their transaction (issue 3, console.md §4.2.1).

The action that calls is the audited one, so opening and closing write no audit row of their own; what people do with
their queue (actions/) does. Call them before the action's first audit row: whoever holds the audit chain waits for no
other row, and two actions never wait for each other in a ring.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.kinds import kind_named, work_kind
from sheka.office.work.models import WorkItem
from sheka.office.work.states import ITEM, NOT_DONE

__all__ = ["change_due", "close_work", "hand_work", "open_all", "open_work", "work_kind"]


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
            "number": number_in(subject),
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


def change_due(kind: str, subject: str, due_on: date | None) -> None:
    """The day of an open item moved, for a calendar that was published."""
    WorkItem.objects.filter(kind=kind, subject=subject, state__in=NOT_DONE).update(due_on=due_on)


def open_all(
    actor: Actor,
    *,
    kind: str,
    organisation: str,
    permission: Permission,
    rows: Sequence[tuple[str, str, str, date | None]],
) -> None:
    """The same for many subjects at once: each row is subject, Chinese and English title, due day."""
    kind_named(kind)
    now = timezone.now()
    WorkItem.objects.bulk_create(
        (
            WorkItem(
                kind=kind,
                subject=subject,
                number=number_in(subject),
                organisation_id=organisation,
                permission=permission.value,
                title_zh=title_zh,
                title_en=title_en,
                due_on=due_on,
                opened_at=now,
                opened_by=actor.name,
            )
            for subject, title_zh, title_en, due_on in rows
        ),
        batch_size=1000,
        ignore_conflicts=True,
    )


def number_in(subject: str) -> str:
    """The number of the case as people say it: what stands behind the subject's first colon.

    >>> number_in("exchange:H460100-26-7"), number_in("batch")
    ('H460100-26-7', 'batch')
    """
    return subject.partition(":")[2] or subject


def hand_work(actor: Actor, kind: str, subject: str, *, to: int | None) -> None:
    """A system's own verb gave the case to a person, or to nobody: the open item goes with it."""
    WorkItem.objects.filter(kind=kind, subject=subject, state__in=NOT_DONE).update(
        assignee_id=to, state="open", waiting_until=None, waiting_reason=""
    )
