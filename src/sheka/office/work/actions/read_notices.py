"""Notices: the reader marks them read; what nobody reads in time goes to the supervisors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.work.models import WorkNotice
from sheka.office.work.notices import NoticeKind, notice_kinds, notify
from sheka.office.work.queries import able
from sheka.office.work.scope import EVERYBODY, reading_as


@action(Permission.WORK_USE)
def mark_read(actor: Actor, *, notice_ids: Sequence[int] | None = None) -> int:
    """These notices of the actor's, or all unread ones, are read; how many. Raises Refused(NOTICE_UNKNOWN)."""
    if actor.staff_id is None:
        raise Refused(Code.NOTICE_UNKNOWN)
    with reading_as(actor.staff_id):
        rows = WorkNotice.objects.filter(staff_id=actor.staff_id)
        if notice_ids is not None:
            rows = rows.filter(pk__in=notice_ids)
            if rows.count() != len(set(notice_ids)):
                raise Refused(Code.NOTICE_UNKNOWN)
        read = rows.filter(read_at__isnull=True).update(read_at=timezone.now())
    record(actor, "notice.read", f"staff:{actor.staff_id}", number=read)
    return read


@action(Permission.WORK_USE)
def escalate_unread(actor: Actor) -> int:
    """The clock's turn: notices to people of the actor's organisation that were unread too long; how many."""
    number = 0
    for kind in notice_kinds().values():
        if kind.escalates_after is not None:
            number += _escalate(actor, kind, kind.escalates_after)
    record(actor, "notice.escalated", f"organisation:{actor.organisation}", number=number)
    return number


def _escalate(actor: Actor, kind: NoticeKind, days: int) -> int:
    now = timezone.now()
    with reading_as(EVERYBODY):
        rows = WorkNotice.objects.select_for_update(skip_locked=True, of=("self",)).select_related("staff")
        late = rows.filter(organisation_id=actor.organisation, kind=kind.name, at__lt=now - timedelta(days=days))
        found = list(late.filter(read_at__isnull=True, escalated_at__isnull=True).order_by("pk"))
        WorkNotice.objects.filter(pk__in=[notice.pk for notice in found]).update(escalated_at=now)
    for notice in found:
        for person in _supervisors(actor.organisation, notice.staff_id):
            notify(
                person.pk,
                "work.escalated",
                notice.subject,
                zh=f"{notice.staff.name} {days} 天未读：{notice.text_zh}",
                en=f"{notice.staff.name} has not read for {days} days: {notice.text_en}",
            )
    return len(found)


def _supervisors(code: str, except_for: int) -> list[StaffMember]:
    """Who supervises work in this organisation, or in the nearest one above it that has somebody."""
    place: Organisation | None = Organisation.objects.get(code=code)
    while place is not None:
        found = [person for person in able(Permission.WORK_ASSIGN, place.code) if person.pk != except_for]
        if found:
            return found
        place = place.parent
    return []
