"""A second person puts a holiday notice into force, or rejects it; its proposer may withdraw it (R2)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.canonical import digest as digest_of
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.jobs.actions.start_job import start_job
from sheka.office.operations.calendars import RECOUNTS, calendar_of, forget_calendar, notice_of
from sheka.office.operations.models import HolidayNotice
from sheka.office.operations.states import NOTICE
from sheka.office.operations.work import DECIDE
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import person_of
from sheka.office.work.items import close_work

EVENTS = {"publish": "calendar.published", "reject": "calendar.rejected", "withdraw": "calendar.withdrawn"}


@action(Permission.CALENDAR_MANAGE)
def decide_notice(actor: Actor, *, notice_id: int, digest: str, verb: str, reason: str = "") -> HolidayNotice:
    """`verb`: publish, reject or withdraw, about exactly the content with this digest.

    Publishing starts the jobs that count promised days anew. Raises Refused: CALENDAR_NOTICE_UNKNOWN,
    CALENDAR_STALE, CALENDAR_OWN, CALENDAR_NOT_YOURS, CALENDAR_REASON, STATE_FORBIDS, and what no longer fits.
    """
    row = HolidayNotice.objects.select_for_update().filter(pk=notice_id).first()
    if row is None:
        raise Refused(Code.CALENDAR_NOTICE_UNKNOWN)
    state = NOTICE.after(row.state, verb)
    if not row.digest == digest == digest_of(row.content):
        raise Refused(Code.CALENDAR_STALE)
    own = actor.staff_id is not None and person_of(actor.staff_id) == row.proposed_person
    if verb == "withdraw" and not own:
        raise Refused(Code.CALENDAR_NOT_YOURS, name=row.proposed_by)
    if verb != "withdraw" and (own or actor.staff_id is None):
        raise Refused(Code.CALENDAR_OWN if own else Code.CALENDAR_NEEDS_PERSON)
    if verb == "reject" and len(reason.strip()) < 2:
        raise Refused(Code.CALENDAR_REASON)
    if verb == "publish":
        calendar_of(HolidayNotice.objects.filter(state="in_force").order_by("decided_at")).with_notice(
            notice_of(row.content)
        )
    row.state, row.decided_by, row.decided_at, row.reason = state, actor.name, timezone.now(), reason.strip()[:200]
    row.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    close_work(actor, DECIDE, row.subject)
    record(actor, EVENTS[verb], row.subject, document=row.document, digest=row.digest, reason=row.reason)
    if verb == "publish":
        forget_calendar()
        for job in RECOUNTS:
            start_job(actor, job, year=row.year)
    return row
