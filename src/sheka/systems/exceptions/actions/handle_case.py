"""Open, take, give back and close exception cases (S10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.models import ExceptionCase, Reason
from sheka.systems.exceptions.queries import open_subjects
from sheka.systems.exceptions.states import CASE

DAYS = 10


@dataclass(frozen=True, slots=True)
class Abnormal:
    """An abnormal item: its key, why, the amount at stake in fen, and what each side has (None: nothing)."""

    subject: str
    reason: Reason
    amount: int
    ours: dict[str, object] | None
    theirs: dict[str, object] | None


@action(Permission.CLEARING_IMPORT)
def open_cases(actor: Actor, *, items: Sequence[Abnormal]) -> list[ExceptionCase]:
    """A case for each item that has none that is open: finding the same again opens nothing."""
    place = organisation(actor.organisation)
    known = open_subjects(place.code)
    now = timezone.now()
    fresh = [item for item in items if (item.subject, item.reason.value) not in known]
    made = ExceptionCase.objects.bulk_create(
        ExceptionCase(
            number=f"EX{place.code}{now:%y%m%d%H%M%S%f}{index:04d}",
            organisation=place,
            reason=item.reason,
            subject=item.subject,
            amount=item.amount,
            ours=item.ours,
            theirs=item.theirs,
            state=CASE.initial,
            due_on=timezone.localdate() + timedelta(days=DAYS),
            opened_at=now,
        )
        for index, item in enumerate(fresh)
    )
    reasons = {reason.value: sum(item.reason == reason for item in fresh) for reason in Reason}
    record(actor, "exception.opened", f"exceptions:{place.code}", count=len(made), reasons=reasons)
    return made


@action(Permission.EXCEPTION_HANDLE)
def take_case(actor: Actor, *, number: str) -> ExceptionCase:
    """Take a case in hand."""
    case = _locked(actor, number)
    case.state, case.holder = CASE.after(case.state, "take"), actor.name
    return _save(actor, case, "take")


@action(Permission.EXCEPTION_HANDLE)
def give_back_case(actor: Actor, *, number: str) -> ExceptionCase:
    """Give a case back for somebody else."""
    case = _locked(actor, number)
    case.state, case.holder = CASE.after(case.state, "give_back"), ""
    return _save(actor, case, "give_back")


@action(Permission.EXCEPTION_HANDLE)
def close_case(actor: Actor, *, number: str, resolution: str) -> ExceptionCase:
    """Close a case with what was found and decided. Raises Refused(EXCEPTION_REASON) without a text."""
    if len(resolution.strip()) < 4:
        raise Refused(Code.EXCEPTION_REASON)
    case = _locked(actor, number)
    case.state, case.resolution = CASE.after(case.state, "close"), resolution.strip()
    case.closed_at = timezone.now()
    return _save(actor, case, "close")


def _locked(actor: Actor, number: str) -> ExceptionCase:
    case = ExceptionCase.objects.select_for_update().filter(number=number).first()
    if case is None:
        raise Refused(Code.EXCEPTION_UNKNOWN, case=number)
    actor.must_act_for(case.organisation_id)
    return case


def _save(actor: Actor, case: ExceptionCase, verb: str) -> ExceptionCase:
    case.save(update_fields=["state", "holder", "resolution", "closed_at"])
    record(actor, f"exception.{verb}", f"exception:{case.number}", state=case.state, resolution=case.resolution)
    return case
