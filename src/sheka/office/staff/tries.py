"""Counting failed tries: by account, which is locked, and by client address, which is shut out for a while.

The counts are rows of PostgreSQL, so they hold over every process of the node (ASVS 6.3.1). An unknown name is
counted and locked like a known one, so no answer says which names exist (ASVS 6.3.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import AttemptWindow, SignIn, StaffMember
from sheka.office.staff.persons import person_digest
from sheka.office.staff.rules import minutes, rules
from sheka.office.staff.sessions import end_sessions


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request came from: the client's address and what its browser calls itself."""

    address: str = ""
    agent: str = ""


NOWHERE = Visit()


def own_actor(staff: StaffMember, session: str = "") -> Actor:
    """The person as author of audit rows about the own account, without any right."""
    return Actor(staff.pk, staff.name, staff.organisation_id, staff.organisation.path, frozenset(), session)


def must_be_open(staff: StaffMember) -> None:
    """Raises Refused: STAFF_INACTIVE, SIGN_IN_LOCKED."""
    if not staff.is_active:
        raise Refused(Code.STAFF_INACTIVE, name=staff.name)
    if staff.locked_until and staff.locked_until > timezone.now():
        raise Refused(Code.SIGN_IN_LOCKED, minutes=minutes(rules().locked_for))


def must_be_let_in(visit: Visit) -> None:
    """Raises Refused(SIGN_IN_TOO_MANY) for an address that failed too often in this window."""
    if _failures(f"address:{visit.address}", rules().address_window) >= rules().address_failures:
        raise Refused(Code.SIGN_IN_TOO_MANY, minutes=minutes(rules().address_window))


def failed_unknown(login: str, visit: Visit) -> Refused:
    """Count a try with a name that no open account has; what to raise is what a known name would be answered."""
    subject = f"name:{person_digest(login)}"
    locked = _failures(subject, rules().locked_for) >= rules().failures - 1
    _count(subject, rules().locked_for)
    _count_address(visit)
    if locked:
        return Refused(Code.SIGN_IN_LOCKED, minutes=minutes(rules().locked_for))
    return wrong(Code.SIGN_IN_FAILED)


def note(staff: StaffMember, visit: Visit, factor: str, outcome: str) -> None:
    """A row of the person's sign-in history."""
    SignIn.objects.create(
        staff=staff,
        organisation_id=staff.organisation_id,
        at=timezone.now(),
        address=visit.address[:45],
        agent=visit.agent[:200],
        factor=factor,
        outcome=outcome,
    )


def failed(staff: StaffMember, factor: str, visit: Visit) -> bool:
    """Count the failure in a transaction of its own; at the limit lock the account and end its sessions.

    True when the account is locked now.
    """
    with transaction.atomic():
        StaffMember.objects.filter(pk=staff.pk).update(failed_sign_ins=F("failed_sign_ins") + 1)
        staff.refresh_from_db()
        locked = staff.failed_sign_ins >= rules().failures
        if locked:
            until = timezone.now() + rules().locked_for
            StaffMember.objects.filter(pk=staff.pk).update(failed_sign_ins=0, locked_until=until)
            end_sessions(staff, "locked")
        _count_address(visit)
        note(staff, visit, factor, "locked" if locked else "failed")
        record(own_actor(staff), "staff.sign_in_failed", f"staff:{staff.login}", which=factor, locked=locked)
    return locked


def failure(staff: StaffMember, factor: str, visit: Visit, refusal: Refused) -> Refused:
    """Count the failure; what to raise: SIGN_IN_LOCKED when it was the last one allowed, else `refusal`."""
    if failed(staff, factor, visit):
        return Refused(Code.SIGN_IN_LOCKED, minutes=minutes(rules().locked_for))
    return refusal


def wrong(code: Code) -> Refused:
    """The refusal of a wrong password or code, which says how many tries there are."""
    return Refused(code, limit=rules().failures, minutes=minutes(rules().locked_for))


def cleared(staff: StaffMember) -> None:
    """Both factors were right: the count begins again."""
    StaffMember.objects.filter(pk=staff.pk).update(failed_sign_ins=0, locked_until=None)


def _count_address(visit: Visit) -> None:
    if visit.address:
        _count(f"address:{visit.address}", rules().address_window)


def _failures(subject: str, span: timedelta) -> int:
    found = AttemptWindow.objects.filter(subject=subject, begins_at=_begin(span)).values_list("failures", flat=True)
    return found.first() or 0


def _count(subject: str, span: timedelta) -> None:
    window, _made = AttemptWindow.objects.get_or_create(subject=subject, begins_at=_begin(span))
    AttemptWindow.objects.filter(pk=window.pk).update(failures=F("failures") + 1)


def _begin(span: timedelta) -> datetime:
    """When the present window of this length began."""
    length = int(span.total_seconds())
    return datetime.fromtimestamp(int(timezone.now().timestamp()) // length * length, UTC)
