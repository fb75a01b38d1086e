"""What the clock does for the queue: waiting items come back on their day, notices that nobody reads go up."""

from __future__ import annotations

from django.utils import timezone

from sheka.office.jobs.registry import periodic
from sheka.office.staff.actors import Actor
from sheka.office.work.actions.postpone_work import wake_due
from sheka.office.work.actions.read_notices import escalate_unread
from sheka.office.work.models import WorkItem, WorkNotice
from sheka.office.work.scope import EVERYBODY, reading_as


@periodic("work.wake", cron="*/10 * * * *")
def wake() -> None:
    """Where an item's day has come, it is open again."""
    due = WorkItem.objects.filter(state="waiting", waiting_until__lte=timezone.localdate())
    for code in due.order_by().values_list("organisation_id", flat=True).distinct():
        wake_due(Actor.process("work", code))


@periodic("work.escalate", cron="5 * * * *")
def escalate() -> None:
    """Where notices lie unread, those that are too old go to the supervisors."""
    with reading_as(EVERYBODY):
        unread = WorkNotice.objects.filter(read_at__isnull=True, escalated_at__isnull=True)
        codes = list(unread.order_by().values_list("organisation_id", flat=True).distinct())
    for code in codes:
        escalate_unread(Actor.process("work", code))
