"""The life of a case: each verb writes a line, changes the state by the table, and the audit row (S10)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.queries import person_of
from sheka.office.work.items import close_work, hand_work, open_work
from sheka.systems.exceptions.models import CaseEvent, ExceptionCase
from sheka.systems.exceptions.states import CASE, ENDED
from sheka.systems.exceptions.work import HANDLE, work_of

SHORTEST, LONGEST = 4, 1000


def text_of(text: str) -> str:
    """What somebody wrote, trimmed. Raises Refused(EXCEPTION_REASON) for less than a few words."""
    said = text.strip()
    if len(said) < SHORTEST:
        raise Refused(Code.EXCEPTION_REASON)
    return said[:LONGEST]


def locked(actor: Actor, number: str) -> ExceptionCase:
    """A case of the actor's reach, held until the end of the transaction.

    Raises Refused: EXCEPTION_UNKNOWN, ORGANISATION_OUT_OF_REACH.
    """
    case = ExceptionCase.objects.select_for_update(of=("self",)).filter(number=number).first()
    if case is None:
        raise Refused(Code.EXCEPTION_UNKNOWN, case=number)
    actor.must_act_for(case.organisation_id)
    return case


def person_in(case: ExceptionCase, staff_id: int | None) -> str:
    """The person behind an account, the same for all accounts of one person, within one case only."""
    return "" if staff_id is None else digest({"case": case.number, "person": person_of(staff_id)})


def write(
    actor: Actor,
    case: ExceptionCase,
    verb: str,
    text: str = "",
    *,
    facts: dict[str, Any] | None = None,
    told: bool = False,
) -> CaseEvent:
    """A line of the life, in the state that the case has now."""
    return CaseEvent.objects.create(
        case=case,
        verb=verb,
        at=timezone.now(),
        name=actor.name,
        staff_id=actor.staff_id,
        person=person_in(case, actor.staff_id),
        state=case.state,
        text=text[:LONGEST],
        facts=facts or {},
        told=told,
    )


def move(
    actor: Actor,
    case: ExceptionCase,
    verb: str,
    text: str = "",
    *,
    facts: dict[str, Any] | None = None,
    told: bool = False,
) -> ExceptionCase:
    """The state after the verb, saved with all that was set before; its work, its line, its audit row.

    Raises Refused(STATE_FORBIDS).
    """
    case.state = CASE.after(case.state, verb)
    if case.state in ENDED:
        case.closed_at = timezone.now()
        case.answer_due_on = None
    case.save()
    keep_work(actor, case)
    write(actor, case, verb, text, facts=facts, told=told)
    record(
        actor, f"exception.{verb}", case.key, state=case.state, resolution=case.resolution, text=text, **(facts or {})
    )
    return case


def renew_work(actor: Actor, case: ExceptionCase) -> None:
    """Its item of work again, with the deadline that it has now."""
    close_work(actor, HANDLE, case.key)
    keep_work(actor, case)


def keep_work(actor: Actor, case: ExceptionCase) -> None:
    """A case that runs is an item of work: of nobody, of its holder; one that ended is none."""
    if case.state in ENDED or case.state == "proposed":
        close_work(actor, HANDLE, case.key)
        return
    if case.state == "unknown":
        return
    open_work(actor, **work_of(case))
    hand_work(actor, HANDLE, case.key, to=case.holder_id)
