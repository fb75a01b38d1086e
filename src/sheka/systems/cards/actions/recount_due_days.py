"""Count the promised day of an exchange anew when the notice it waited for is in force (R2)."""

from __future__ import annotations

from datetime import date

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.operations.calendars import working_calendar
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.actions.apply_exchange import due_day, strip_of
from sheka.systems.cards.models import ExchangeCase
from sheka.systems.cards.states import OPEN_EXCHANGE
from sheka.systems.cards.waiting import exchange_recounted


@action(Permission.CALENDAR_MANAGE)
def recount_due_day(actor: Actor, *, number: str) -> tuple[date, date] | None:
    """The promised day before and now; None when it stays the same. Raises Refused(EXCHANGE_UNKNOWN).

    An exchange that closed meanwhile keeps its day.
    """
    case = ExchangeCase.objects.select_for_update().filter(number=number, state__in=OPEN_EXCHANGE).first()
    if case is None:
        raise Refused(Code.EXCHANGE_UNKNOWN, exchange=number)
    due = due_day(case.applied_on, working_calendar())
    was, case.due_on, case.due_provisional = case.due_on, due.day, due.provisional
    case.due_strip = strip_of(due)
    case.save(update_fields=["due_on", "due_provisional", "due_strip"])
    exchange_recounted(actor, case)
    record(actor, "exchange.recounted", case.subject, was=was, due_on=due.day, provisional=due.provisional)
    return (was, due.day) if was != due.day else None
