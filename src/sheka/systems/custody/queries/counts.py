"""Stock counts: blind while they run, with what differed when they have ended (K6)."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.systems.custody.models import StockCount
from sheka.systems.custody.queries.carriers import may_see
from sheka.systems.custody.states import COUNTING

WHAT = Term("盘点单", "count sheet")


def counts(actor: Actor) -> QuerySet[StockCount]:
    """The counts of the actor's organisation, the newest first; what should be there is left out of every row."""
    may_see(actor)
    rows = StockCount.objects.filter(organisation_id=actor.organisation)
    return rows.select_related("place__parent").defer("expected")


def count_sheet(actor: Actor, number: str) -> StockCount:
    """One count. While it runs nobody is told what should be there: `expected` is empty. Raises Refused:
    PERMISSION_MISSING, CUSTODY_UNKNOWN.
    """
    may_see(actor)
    rows = StockCount.objects.filter(organisation_id=actor.organisation, number=number)
    row = _found(rows.select_related("place__parent").first(), number)
    if row.state in COUNTING:
        row.expected = []
    return row


def locked_count(actor: Actor, number: str) -> StockCount:
    """The same with everything, locked for an action. Raises Refused(CUSTODY_UNKNOWN)."""
    rows = StockCount.objects.select_for_update(of=("self",)).select_related("place")
    return _found(rows.filter(organisation_id=actor.organisation, number=number).first(), number)


def _found(row: StockCount | None, number: str) -> StockCount:
    if row is None:
        raise Refused(Code.CUSTODY_UNKNOWN, what=WHAT, number=number)
    return row
