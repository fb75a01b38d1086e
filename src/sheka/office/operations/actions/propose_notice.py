"""Put a year's holiday notice before a second person, frozen as it was entered (R2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.operations.calendars import calendar_of, notice_of
from sheka.office.operations.models import HolidayNotice
from sheka.office.operations.work import DECIDE
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import person_of
from sheka.office.work.items import open_work


@action(Permission.CALENDAR_MANAGE)
def propose_notice(actor: Actor, content: Mapping[str, Any]) -> HolidayNotice:
    """`content`: the fields of a notice file as plain JSON, days as ISO text.

    Raises Refused: CALENDAR_… for what is wrong in it, CALENDAR_YEAR_PUBLISHED, CALENDAR_NOTHING_TO_AMEND,
    CALENDAR_PROPOSED when one of that year waits already, CALENDAR_NEEDS_PERSON.
    """
    if actor.staff_id is None:
        raise Refused(Code.CALENDAR_NEEDS_PERSON)
    notice = notice_of(content)
    calendar_of(HolidayNotice.objects.filter(state="in_force").order_by("decided_at")).with_notice(notice)
    if HolidayNotice.objects.filter(year=notice.year, state="proposed").exists():
        raise Refused(Code.CALENDAR_PROPOSED, year=notice.year)
    row = HolidayNotice.objects.create(
        year=notice.year,
        amends=notice.amends,
        title=notice.title,
        document=notice.document,
        issued=notice.issued,
        content=dict(content),
        digest=digest(dict(content)),
        proposed_by=actor.name,
        proposed_person=person_of(actor.staff_id),
        proposed_at=timezone.now(),
    )
    open_work(
        actor,
        kind=DECIDE,
        subject=row.subject,
        organisation=actor.organisation,
        permission=Permission.CALENDAR_MANAGE,
        title_zh=f"复核{notice.year}年放假安排（{notice.document}）",
        title_en=f"Compare the holiday notice of {notice.year} with {notice.document}",
    )
    record(actor, "calendar.proposed", row.subject, document=notice.document, digest=row.digest, amends=notice.amends)
    return row
