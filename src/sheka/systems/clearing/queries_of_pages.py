"""What the page of a clearing day reads: what its institutions booked by kind, their files, what differs, who did what
when (S8). Amounts are fen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from sheka.office.audit.models import Event
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.clearing.acquirer_file import TAKEN
from sheka.systems.clearing.models import AcquirerFile, Day, Net
from sheka.systems.clearing.queries import days_of, files_of
from sheka.systems.clearing.totals import Adjustment, adjustments_of
from sheka.systems.exceptions.abnormal import SETTLED
from sheka.systems.exceptions.models import ExceptionCase, Reason
from sheka.systems.exceptions.queries import cases_of
from sheka.systems.transactions.models import Window
from sheka.systems.transactions.queries import DIRECTED, EFFECT, MOVED, institutions_of

DIFFERENCES = (Reason.ONLY_OURS, Reason.ONLY_THEIRS, Reason.AMOUNT, Reason.DUPLICATE)
"""Why reconciliation opens a case."""
MONTH = 31
_KINDS = f"""
SELECT i.code, {DIRECTED} AS directed, count(*), sum(abs({EFFECT}))
FROM transactions_transaction t JOIN transactions_institution i ON i.id = t.institution_id
WHERE {MOVED} AND i.organisation_id = %(place)s GROUP BY i.code, directed ORDER BY i.code, directed
"""  # noqa: S608 - constants only

#: The other sides of what stands in a window: of its card transactions, and of transfers that move an institution.
_OTHER_SIDE = f"""
WITH ours AS (
    SELECT id, account_id FROM transactions_institution WHERE organisation_id = %(place)s AND test_of_id IS NULL
), postings AS (
    SELECT t.id FROM transactions_transaction t JOIN transactions_institution i ON i.id = t.institution_id
    WHERE {MOVED} AND i.organisation_id = %(place)s
    UNION ALL
    SELECT x.posting_id FROM accounts_transfer x WHERE x.window_id = %(window)s AND x.refusal = 0
        AND EXISTS (SELECT FROM ours WHERE ours.account_id IN (x.debit_id, x.credit_id))
)
SELECT a.kind, sum(e.amount) FROM postings p JOIN accounts_entry e ON e.posting_id = p.id
JOIN accounts_account a ON a.id = e.account_id
WHERE NOT EXISTS (SELECT FROM ours WHERE ours.account_id = a.id) GROUP BY a.kind ORDER BY a.kind
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class KindTotal:
    """What an institution booked of one kind (as in acquirer_file.KINDS): how often, the sum."""

    kind: int
    count: int
    amount: int

    @property
    def taken(self) -> bool:
        """From personal accounts; else given back to them."""
        return self.kind in TAKEN


@dataclass(slots=True)
class Side:
    """An institution in a day: what it booked with us by kind, its transfers, the file that it sent."""

    code: str
    name: str
    kinds: list[KindTotal]
    adjustments: list[Adjustment]
    file: AcquirerFile | None = None

    @property
    def count(self) -> int:
        return sum(one.count for one in self.kinds)

    @property
    def purchases(self) -> int:
        return sum(one.amount for one in self.kinds if one.taken)

    @property
    def reversals(self) -> int:
        return sum(one.amount for one in self.kinds if not one.taken)

    @property
    def adjusted(self) -> int:
        """The sum of its transfers."""
        return sum(one.amount for one in self.adjustments)

    @property
    def amount(self) -> int:
        """What it is owed for the day."""
        return self.purchases - self.reversals + self.adjusted

    @property
    def lacks_file(self) -> bool:
        """Whether reconciliation waits for it."""
        return bool(self.kinds) and self.file is None


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done with a day: the last word of its event, who, when, with which facts."""

    verb: str
    at: datetime
    who: str
    facts: dict[str, Any]


def day_reached(actor: Actor, organisation_code: str, settlement_date: date) -> Day | None:
    """A sealed day in the actor's reach."""
    rows = days_of(actor).filter(organisation_id=organisation_code, settlement_date=settlement_date)
    return rows.select_related("organisation", "window").first()


def days_waiting_for(actor: Actor) -> QuerySet[Day]:
    """The sealed days with which this actor has to do something: to be reconciled (once more), or to be netted."""
    waiting = Q(pk__in=())
    if actor.may(Permission.CLEARING_IMPORT):
        waiting |= Q(state="sealed") | Q(state="reconciled", differences__gt=0)
    if actor.may(Permission.CLEARING_NET):
        waiting |= Q(state="reconciled", differences=0)
    return days_of(actor).filter(waiting)


def windows_to_seal(organisation_code: str) -> list[Window]:
    """The windows of the last month that the organisation has not sealed, the oldest first; the last may be open."""
    sealed = Day.objects.filter(organisation_id=organisation_code).values("window_id")
    return list(Window.objects.exclude(pk__in=sealed).order_by("-settlement_date")[:MONTH])[::-1]


def window_to_seal(organisation_code: str, settlement_date: date) -> Window | None:
    """One of them."""
    sealed = Day.objects.filter(organisation_id=organisation_code).values("window_id")
    return Window.objects.filter(settlement_date=settlement_date).exclude(pk__in=sealed).first()


def sides_of(actor: Actor, window: Window, organisation_code: str, day: Day | None) -> list[Side]:
    """Every institution that booked in the window, had a transfer in it or sent a file of the day, by code. Of an open
    window it is what stands in it until now.
    """
    found: dict[str, Side] = {}
    with connection.cursor() as cursor:
        cursor.execute(_KINDS, _of(window, organisation_code))
        for code, kind, count, amount in cursor.fetchall():
            _side(found, code).kinds.append(KindTotal(kind, count, int(amount)))
    for line in adjustments_of(window, organisation_code):
        _side(found, line.institution).adjustments.append(line)
    for file in files_of(day) if day is not None else ():
        _side(found, file.acquirer).file = file
    for code, name in institutions_of(actor).filter(code__in=found).values_list("code", "name"):
        found[code].name = name
    return [found[code] for code in sorted(found)]


@whole_node("a transfer stands in the books of whoever made it, the account in those of its city")
def other_side_of(window: Window, organisation_code: str) -> list[tuple[str, int]]:
    """Kind of account → the sum of the entries that stand against those of the institutions, as the ledger has them:
    with what the institutions are owed it makes zero.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_SIDE, _of(window, organisation_code))
        return [(kind, int(amount)) for kind, amount in cursor.fetchall()]


def differences_of(actor: Actor) -> QuerySet[ExceptionCase]:
    """The cases that reconciliation opened in the actor's reach."""
    return cases_of(actor).filter(reason__in=DIFFERENCES)


def differing_on(rows: QuerySet[ExceptionCase], settlement_date: str) -> QuerySet[ExceptionCase]:
    """Those that a clearing day (YYYY-MM-DD) found, also where the case was there from another day already."""
    again = rows.filter(events__verb="again", **{f"events__facts__{SETTLED}": settlement_date}).values("pk")
    named = Q(**{f"ours__{SETTLED}": settlement_date}) | Q(**{f"theirs__{SETTLED}": settlement_date})
    return rows.filter(named | Q(pk__in=again))


def nets_in_reach(actor: Actor) -> QuerySet[Net]:
    """What institutions are or were owed, of every netted day in the actor's reach."""
    return Net.objects.filter(day__in=days_of(actor)).select_related("day__organisation", "institution")


def history_of(organisation_code: str, settlement_date: date) -> list[Step]:
    """What was done with a day, from the audit, in its order."""
    subject = f"day:{organisation_code}:{settlement_date.isoformat()}"
    rows = Event.objects.filter(subject=subject, event__startswith="clearing.").order_by("sequence")
    return [Step(row.event.removeprefix("clearing."), row.at, row.actor, json.loads(row.facts)) for row in rows]


def _of(window: Window, organisation_code: str) -> dict[str, Any]:
    return {"window": window.pk, "date": window.settlement_date, "place": organisation_code}


def _side(found: dict[str, Side], code: str) -> Side:
    return found.setdefault(code, Side(code, "", [], []))
