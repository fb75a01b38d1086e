"""Sessions of staff: opened by two factors, ended by sign-out, idling, age, another sign-in, a lock, a new password or
leaving (ASVS 7.3, 7.4). The row decides: a browser whose row has ended is a stranger at its next request.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.utils import timezone

from sheka.office.staff.models import StaffMember, StaffSession
from sheka.office.staff.rules import rules

SEEN_EVERY = timedelta(seconds=30)
"""How exactly `seen_at` is kept: a busy reader costs a write in half a minute, not one a page."""


def running(staff: StaffMember) -> QuerySet[StaffSession]:
    """The sessions of this person that are neither ended nor past a limit, the latest first."""
    return StaffSession.objects.filter(_in_force(timezone.now()), staff=staff)


def session_in_force(key: UUID | str, staff_id: int) -> StaffSession | None:
    """The session when it is this person's and has not ended, idled or grown old."""
    return StaffSession.objects.filter(_in_force(timezone.now()), pk=key, staff_id=staff_id).first()


def run_out() -> QuerySet[StaffSession]:
    """The sessions that idled or grew old and whose rows do not say so yet."""
    return StaffSession.objects.filter(ended_at=None).exclude(_in_force(timezone.now()))


def seen(session: StaffSession) -> None:
    """The reader asked for a page."""
    now = timezone.now()
    if now - session.seen_at >= SEEN_EVERY:
        StaffSession.objects.filter(pk=session.pk).update(seen_at=now)
        session.seen_at = now


def rekeyed(session: StaffSession, key: str) -> None:
    """The browser's session has another key now: it was cycled with the password."""
    StaffSession.objects.filter(pk=session.pk).update(key=key)


def ends_at(session: StaffSession) -> datetime:
    """When the session ends if nothing more is asked for: idle or absolute limit, whichever comes first."""
    return min(session.seen_at + rules().idle, session.started_at + rules().absolute)


def end_sessions(staff: StaffMember, reason: str, *, keep: str = "") -> int:
    """End every session of a person but `keep`, at once; how many ended."""
    return end(StaffSession.objects.filter(staff=staff).exclude(pk=keep or None), reason)


def end(sessions: QuerySet[StaffSession], reason: str) -> int:
    """End these sessions and forget their browsers; how many ended."""
    rows = sessions.filter(ended_at=None)
    Session.objects.filter(session_key__in=list(rows.values_list("key", flat=True))).delete()
    return rows.update(ended_at=timezone.now(), end_reason=reason)


def _in_force(now: datetime) -> Q:
    return Q(ended_at=None, seen_at__gt=now - rules().idle, started_at__gt=now - rules().absolute)
