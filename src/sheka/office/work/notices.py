"""Notices to people: what a person should know, with a bell until it is read (issue 3).

A kind says how pressing it is, and after how many days unread it goes to the supervisors:

    notice_kind("incident.reported", Term("安全事件", "Incident"), severity="stop", escalates_after=1,
                address=lambda subject: ("console:incident", subject.partition(":")[2]))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.models import StaffMember
from sheka.office.work.kinds import Address
from sheka.office.work.models import WorkNotice
from sheka.office.work.scope import reading_as

TONES = ("info", "wait", "stop")


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """A kind of notice. `severity` is a tone of seals: info, wait or stop; `escalates_after` is in days, None never."""

    name: str
    title: Term
    severity: str
    escalates_after: int | None
    address: Callable[[str], Address] | None


_kinds: dict[str, NoticeKind] = {}


def notice_kind(
    name: str,
    title: Term,
    *,
    severity: str = "info",
    escalates_after: int | None = None,
    address: Callable[[str], Address] | None = None,
) -> NoticeKind:
    """Declare a kind, in an app's module `work`. Raises ValueError for a name that is taken or a severity unknown."""
    if name in _kinds or severity not in TONES:
        raise ValueError(f"the kind of notice {name} is declared already, or {severity} is no severity")
    _kinds[name] = NoticeKind(name, title, severity, escalates_after, address)
    return _kinds[name]


def notice_kinds() -> dict[str, NoticeKind]:
    """Every kind by its name."""
    return dict(_kinds)


def notify(staff_id: int, kind: str, subject: str, *, zh: str, en: str) -> WorkNotice:
    """Tell a person something, in the running action's transaction; `subject` names what it is about.

    Raises Refused(STAFF_UNKNOWN), LookupError for a kind that nobody declared.
    """
    _kinds[kind]
    organisation = StaffMember.objects.filter(pk=staff_id).values_list("organisation_id", flat=True).first()
    if organisation is None:
        raise Refused(Code.STAFF_UNKNOWN, name=staff_id)
    with reading_as(staff_id):
        return WorkNotice.objects.create(
            staff_id=staff_id,
            organisation_id=organisation,
            kind=kind,
            subject=subject,
            text_zh=zh[:300],
            text_en=en[:300],
            at=timezone.now(),
        )


notice_kind("work.assigned", Term("交办", "Assigned to you"), address=lambda subject: ("console:work_queue", "mine"))
notice_kind("work.escalated", Term("通知无人阅读", "Notice not read"), severity="wait")
