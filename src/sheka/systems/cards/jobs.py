"""The jobs of cards: promised days counted anew when a holiday notice comes into force (R2)."""

from __future__ import annotations

from typing import Any

from sheka.office.jobs.progress import Progress
from sheka.office.jobs.registry import job
from sheka.office.operations.calendars import forget_calendar, recounts_when_published
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.actions.recount_due_days import recount_due_day
from sheka.systems.cards.queries.exchanges import exchanges_to_recount

RECOUNT = "cards.recount_promised_days"


@job(
    RECOUNT,
    title_zh="重新计算承诺领卡日",
    title_en="Promised days counted anew",
    permission=Permission.CALENDAR_MANAGE,
    whole=False,
)
def recount(actor: Actor, progress: Progress, *, year: int) -> dict[str, Any]:
    """Every open exchange of the node whose promised day was provisional, each in an action of its own organisation: a
    second run finds the rest.
    """
    forget_calendar()
    moved, kept = [], 0
    with whole_node("the calendar is the same for every organisation of the node"):
        numbers = exchanges_to_recount(year)
        for done, (number, organisation) in enumerate(numbers):
            progress(done, len(numbers), ("重新计算承诺领卡日", "counting promised days anew"))
            changed = recount_due_day(Actor.process("calendar", organisation), number=number)
            if changed is None:
                kept += 1
            else:
                moved.append({"exchange": number, "was": changed[0].isoformat(), "now": changed[1].isoformat()})
    return {"year": year, "counted": len(numbers), "kept": kept, "moved": len(moved), "exchanges": moved}


recounts_when_published(RECOUNT)
