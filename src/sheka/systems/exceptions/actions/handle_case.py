"""Open, take, give back and close exception cases (S10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from sheka.foundation.money import format_yuan
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work, hand_work, open_all
from sheka.systems.exceptions.models import ExceptionCase, Reason
from sheka.systems.exceptions.queries import open_subjects
from sheka.systems.exceptions.states import CASE
from sheka.systems.exceptions.work import HANDLE

DAYS = 10
REASONS = {
    Reason.ONLY_OURS: Term("只有我方有账", "Only we have it"),
    Reason.ONLY_THEIRS: Term("只有对方有账", "Only the other side has it"),
    Reason.AMOUNT: Term("金额不一致", "The amounts differ"),
    Reason.DUPLICATE: Term("对方重复记账", "The other side has it twice"),
}


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
    open_all(
        actor,
        kind=HANDLE,
        organisation=place.code,
        permission=Permission.EXCEPTION_HANDLE,
        rows=[_work_of(case) for case in made],
    )
    reasons = {reason.value: sum(item.reason == reason for item in fresh) for reason in Reason}
    record(actor, "exception.opened", f"exceptions:{place.code}", count=len(made), reasons=reasons)
    return made


@action(Permission.EXCEPTION_HANDLE)
def take_case(actor: Actor, *, number: str) -> ExceptionCase:
    """Take a case in hand."""
    case = _locked(actor, number)
    case.state, case.holder = CASE.after(case.state, "take"), actor.name
    hand_work(actor, HANDLE, _subject(case), to=actor.staff_id)
    return _save(actor, case, "take")


@action(Permission.EXCEPTION_HANDLE)
def give_back_case(actor: Actor, *, number: str) -> ExceptionCase:
    """Give a case back for somebody else."""
    case = _locked(actor, number)
    case.state, case.holder = CASE.after(case.state, "give_back"), ""
    hand_work(actor, HANDLE, _subject(case), to=None)
    return _save(actor, case, "give_back")


@action(Permission.EXCEPTION_HANDLE)
def close_case(actor: Actor, *, number: str, resolution: str) -> ExceptionCase:
    """Close a case with what was found and decided. Raises Refused(EXCEPTION_REASON) without a text."""
    if len(resolution.strip()) < 4:
        raise Refused(Code.EXCEPTION_REASON)
    case = _locked(actor, number)
    case.state, case.resolution = CASE.after(case.state, "close"), resolution.strip()
    case.closed_at = timezone.now()
    close_work(actor, HANDLE, _subject(case))
    return _save(actor, case, "close")


def _subject(case: ExceptionCase) -> str:
    return f"exception:{case.number}"


def _work_of(case: ExceptionCase) -> tuple[str, str, str, date]:
    """The item of a case: what differs, and by how much."""
    word = REASONS[Reason(case.reason)]
    amount = format_yuan(case.amount, "zh"), format_yuan(case.amount, "en")
    return _subject(case), f"{word.zh}：{amount[0]}", f"{word.en}: {amount[1]}", case.due_on


def _locked(actor: Actor, number: str) -> ExceptionCase:
    case = ExceptionCase.objects.select_for_update().filter(number=number).first()
    if case is None:
        raise Refused(Code.EXCEPTION_UNKNOWN, case=number)
    actor.must_act_for(case.organisation_id)
    return case


def _save(actor: Actor, case: ExceptionCase, verb: str) -> ExceptionCase:
    case.save(update_fields=["state", "holder", "resolution", "closed_at"])
    record(actor, f"exception.{verb}", _subject(case), state=case.state, resolution=case.resolution)
    return case
