"""Open cases for what clearing found, the switch told, and what expired; the same again opens nothing (S10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection
from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import open_all
from sheka.systems.exceptions.abnormal import SETTLED, Abnormal
from sheka.systems.exceptions.models import CaseEvent, ExceptionCase, Finding, Reason
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.queries import settled
from sheka.systems.exceptions.states import CASE, ENDED, UNKNOWN
from sheka.systems.exceptions.work import HANDLE, work_of

_UNKNOWN_REASONS = frozenset({Reason.UNKNOWN, Reason.ANSWER_LOST, Reason.TIME_OUT})


@action(Permission.CLEARING_IMPORT)
def open_cases(actor: Actor, *, items: Sequence[Abnormal]) -> list[ExceptionCase]:
    """A case for each item that has none that runs and none that ended on the same facts: finding the same again opens
    nothing, and a difference that was settled stays settled.
    """
    place = organisation(actor.organisation)
    made = make_cases(actor, place, [item for item in items if not settled(place.code, item)])
    reasons = {reason.value: sum(case.reason == reason for case in made) for reason in Reason}
    counted = {reason: number for reason, number in reasons.items() if number}
    record(actor, "exception.opened", f"exceptions:{place.code}", count=len(made), reasons=counted)
    return made


def make_cases(actor: Actor, place: Organisation, items: Sequence[Abnormal]) -> list[ExceptionCase]:
    """The rows of new cases with their work and first lines; an item whose case runs already joins that case.

    Called by actions, which write the audit row.
    """
    running = {
        (case.subject, case.reason): case
        for case in ExceptionCase.objects.select_for_update(of=("self",))
        .filter(organisation=place, subject__in={item.subject for item in items})
        .exclude(state__in=ENDED)
    }
    fresh: dict[tuple[str, str], Abnormal] = {}
    again: list[tuple[tuple[str, str], Abnormal]] = []
    for item in items:
        key = item.subject, item.reason.value
        if key in running or key in fresh:
            again.append((key, item))
        else:
            fresh[key] = item
    now, numbers = timezone.now(), _numbers(place.code, len(fresh))
    made = ExceptionCase.objects.bulk_create(
        [_case(place, item, number, now) for item, number in zip(fresh.values(), numbers, strict=True)],
        batch_size=1000,
    )
    by_key = running | {(case.subject, case.reason): case for case in made}
    rows = [_work_row(case) for case in made if case.state != UNKNOWN]
    open_all(actor, kind=HANDLE, organisation=place.code, permission=Permission.EXCEPTION_HANDLE, rows=rows)
    CaseEvent.objects.bulk_create(
        [CaseEvent(case=case, verb="open", at=now, name=actor.name, state=case.state) for case in made], batch_size=1000
    )
    _join(actor, [(by_key[key], item) for key, item in again if item.found is not None], now)
    _note_days(actor, [(by_key[key], item) for key, item in again if item.found is None], now)
    both = [*fresh.items(), *again]
    Finding.objects.bulk_create(
        [
            Finding(case=by_key[key], source=item.found[0], number=item.found[1], at=item.found[2], facts=item.facts)
            for key, item in both
            if item.found is not None
        ],
        batch_size=1000,
    )
    _judge_neighbours(place, made)
    return made


def _case(place: Organisation, item: Abnormal, number: str, now: datetime) -> ExceptionCase:
    due = policy().due(item.reason.value, timezone.localdate(now))
    return ExceptionCase(
        number=number,
        organisation=place,
        reason=item.reason.value,
        subject=item.subject,
        amount=item.amount,
        ours=dict(item.ours) if item.ours is not None else None,
        theirs=dict(item.theirs) if item.theirs is not None else None,
        facts=dict(item.facts),
        state=UNKNOWN if item.reason in _UNKNOWN_REASONS else CASE.initial,
        due_on=due.day,
        due_provisional=due.provisional,
        opened_at=now,
        **item.parts,
    )


def _join(actor: Actor, items: Sequence[tuple[ExceptionCase, Abnormal]], now: datetime) -> None:
    """It happened again while a case runs: counted there, with a line."""
    for case, item in items:
        case.times += 1
        case.save(update_fields=["times"])
        CaseEvent.objects.create(
            case=case, verb="again", at=now, name=actor.name, state=case.state, facts=dict(item.facts)
        )


def _note_days(actor: Actor, items: Sequence[tuple[ExceptionCase, Abnormal]], now: datetime) -> None:
    """A clearing day found what has a case from another day already: the life of that case names this day too, once."""
    for case, item in items:
        day = item.settlement_day
        known = {str((side or {}).get(SETTLED)) for side in (case.ours, case.theirs)}
        if day and day not in known and not case.events.filter(verb="again", facts__contains={SETTLED: day}).exists():
            facts = {SETTLED: day, "amount": item.amount}
            CaseEvent.objects.create(case=case, verb="again", at=now, name=actor.name, state=case.state, facts=facts)


def _judge_neighbours(place: Organisation, made: Sequence[ExceptionCase]) -> None:
    """What is new may explain what is there: the other cases of the same key are judged once more."""
    subjects = {case.subject for case in made}
    others = ExceptionCase.objects.filter(organisation=place, subject__in=subjects, state=CASE.initial, by_hand=False)
    others.exclude(pk__in=[case.pk for case in made]).update(judged_at=None)


def _work_row(case: ExceptionCase) -> tuple[str, str, str, date]:
    work = work_of(case)
    return work["subject"], work["title_zh"], work["title_en"], work["due_on"]


def _numbers(code: str, count: int) -> list[str]:
    """Numbers as people say them: EX, organisation, year, eight digits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('exceptions_case_number') FROM generate_series(1, %s)", [count])
        year = timezone.localdate().year % 100
        return [f"EX{code}{year:02d}{row[0]:08d}" for row in cursor.fetchall()]
