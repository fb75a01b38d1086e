"""What an exceptions officer does with a case: take, assign, give back, note, ask, close, open again (S10)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.calendar import add_working_days
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_of, staff_with
from sheka.systems.exceptions.guards import must_be_free
from sheka.systems.exceptions.informing import tell_opener, tell_staff
from sheka.systems.exceptions.life import locked, move, renew_work, text_of, write
from sheka.systems.exceptions.models import Closing, Dispute, ExceptionCase
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.queries import granted_so_far
from sheka.systems.exceptions.states import ENDED


@action(Permission.EXCEPTION_HANDLE)
def take_case(actor: Actor, *, number: str) -> ExceptionCase:
    """Take a case in hand, also from somebody else or before the other side has answered."""
    case = _free(actor, number, "take")
    case.holder, case.holder_id, case.answer_due_on = actor.name, actor.staff_id, None
    return move(actor, case, "take")


@action(Permission.EXCEPTION_DECIDE)
def assign_case(actor: Actor, *, number: str, staff_id: int) -> ExceptionCase:
    """Put a case before an officer of the same organisation. Raises Refused(EXCEPTION_NO_OFFICER)."""
    case = _free(actor, number, "assign")
    person = staff_with(staff_id)
    if person.organisation_id != case.organisation_id or not actor_of(person).may(Permission.EXCEPTION_HANDLE):
        raise Refused(Code.EXCEPTION_NO_OFFICER, name=person.name)
    case.holder, case.holder_id = person.name, person.pk
    move(actor, case, "take", text=f"→ {person.name}")
    tell_staff(case, [person.pk], zh=f"{actor.name}交办", en=f"assigned by {actor.name}")
    return case


@action(Permission.EXCEPTION_HANDLE)
def give_back_case(actor: Actor, *, number: str) -> ExceptionCase:
    """Give a case back for somebody else."""
    case = _free(actor, number, "give_back")
    case.holder, case.holder_id = "", None
    return move(actor, case, "give_back")


@action(Permission.EXCEPTION_HANDLE)
def note_case(actor: Actor, *, number: str, text: str) -> ExceptionCase:
    """A line of the life: what was found or done."""
    case, said = _free(actor, number, "note"), text_of(text)
    write(actor, case, "note", said)
    record(actor, "exception.note", case.key, state=case.state, text=said)
    return case


@action(Permission.EXCEPTION_HANDLE)
def ask_other_side(actor: Actor, *, number: str, text: str) -> ExceptionCase:
    """Ask the institution: it reads the question with the case; the case waits for it until a day of the policy."""
    case, said = _free(actor, number, "ask"), text_of(text)
    case.answer_due_on = add_working_days(timezone.localdate(), policy().wait_days).day
    return move(actor, case, "ask", said, told=True)


@action(Permission.EXCEPTION_HANDLE)
def note_answer(actor: Actor, *, number: str, text: str) -> ExceptionCase:
    """What the other side answered, by telephone or letter: the case goes on."""
    case, said = _free(actor, number, "answer"), text_of(text)
    case.answer_due_on = None
    return move(actor, case, "answer", said, told=True)


@action(Permission.EXCEPTION_DISPUTE)
def answer_case(actor: Actor, *, number: str, text: str) -> ExceptionCase:
    """The institution itself answers what it was asked (API). Raises Refused: EXCEPTION_UNKNOWN, STATE_FORBIDS."""
    case = ExceptionCase.objects.select_for_update(of=("self",)).filter(number=number).first()
    if case is None or case.institution != actor.organisation:
        raise Refused(Code.EXCEPTION_UNKNOWN, case=number)
    case.answer_due_on = None
    return move(actor, case, "answer", text_of(text), told=True)


@action(Permission.EXCEPTION_HANDLE)
def close_case(actor: Actor, *, number: str, resolution: str, closing: str = Closing.EXPLAINED.value) -> ExceptionCase:
    """Close a case with what was found: nothing is to be booked. Raises Refused: EXCEPTION_REASON, EXCEPTION_CLOSING,
    EXCEPTION_DISPUTE_DECIDED (a dispute ends by a decision of two people).
    """
    said = text_of(resolution)
    case = _free(actor, number, "close")
    if closing not in Closing.values:
        raise Refused(Code.EXCEPTION_CLOSING, closing=closing)
    case.resolution, case.closing = said[:400], closing
    move(actor, case, "close", said)
    tell_opener(case, zh=f"已结案：{said}", en=f"closed: {said}")
    return case


@action(Permission.EXCEPTION_HANDLE)
def reopen_case(actor: Actor, *, number: str, reason: str) -> ExceptionCase:
    """Open an ended case again, a rule's too: from now on people decide it. What was booked stays booked; a correction
    is a new adjustment. Raises Refused(EXCEPTION_ANOTHER) while another case about the same item runs.
    """
    case, said = _free(actor, number, "reopen"), text_of(reason)
    others = ExceptionCase.objects.filter(
        organisation_id=case.organisation_id, subject=case.subject, reason=case.reason
    ).exclude(state__in=ENDED)
    other = others.first()
    if other is not None:
        raise Refused(Code.EXCEPTION_ANOTHER, case=other.number)
    earlier = {"earlier_entry": case.entry, "earlier_closing": case.closing, "earlier_end": case.resolution}
    due = policy().due(case.reason, timezone.localdate())
    case.by_hand, case.holder, case.holder_id = True, "", None
    case.entry, case.closing, case.resolution, case.closed_at, case.proposal = None, "", "", None, None
    case.due_on, case.due_provisional, case.escalated_at, case.suggestion = due.day, due.provisional, None, {}
    Dispute.objects.filter(case=case).update(
        outcome="", granted=granted_so_far(case), provisional_at=None, decided_at=None, decided_by=""
    )
    return move(actor, case, "reopen", said, facts=earlier)


@action(Permission.EXCEPTION_DECIDE)
def extend_case(actor: Actor, *, number: str, reason: str) -> ExceptionCase:
    """Give a case the working days of the policy more, once, with a reason that both sides read.

    Raises Refused: EXCEPTION_EXTENDED, EXCEPTION_REASON, STATE_FORBIDS once it has ended.
    """
    case, said = _free(actor, number, "extend"), text_of(reason)
    earlier = case.due_on
    due = add_working_days(max(earlier, timezone.localdate()), policy().extend_days)
    case.due_on, case.due_provisional, case.escalated_at = due.day, due.provisional, None
    case.save(update_fields=["due_on", "due_provisional", "escalated_at"])
    days = {"from": earlier.isoformat(), "to": due.day.isoformat()}
    write(actor, case, "extend", said, facts=days, told=True)
    renew_work(actor, case)
    record(actor, "exception.extended", case.key, reason=said, **days)
    tell_opener(case, zh=f"处理期限延长至{days['to']}：{said}", en=f"extended until {days['to']}: {said}")
    return case


def _free(actor: Actor, number: str, verb: str) -> ExceptionCase:
    """The case locked, for a verb that this actor may do now."""
    case = locked(actor, number)
    must_be_free(actor, case, verb)
    return case
