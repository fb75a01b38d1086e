"""Reconcile a sealed day against the acquirers' files (S8); what differs becomes a case (S10)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.clearing.models import Day
from sheka.systems.clearing.queries import files_of
from sheka.systems.clearing.states import DAY
from sheka.systems.clearing.waiting import day_reconciled
from sheka.systems.exceptions.abnormal import Abnormal
from sheka.systems.exceptions.actions.open_cases import open_cases
from sheka.systems.exceptions.models import Reason
from sheka.systems.exceptions.queries import settled
from sheka.systems.transactions.queries import DIRECTED, MOVED, window_totals

#: Both sides by key. A purchase and its whole reversal that only one side has cancel out and are no difference.
_DIFFERENCES = f"""
WITH ours AS (
    SELECT i.code AS acquirer, t.business_date, m.number AS terminal, t.stan, {DIRECTED} AS kind, t.amount, t.id, t.rrn,
        t.card_number AS card
    FROM transactions_transaction t
    JOIN transactions_institution i ON i.id = t.institution_id JOIN transactions_terminal m ON m.id = t.terminal_id
    WHERE {MOVED} AND i.organisation_id = %(place)s
), theirs AS (
    SELECT f.acquirer, l.business_date, l.terminal, l.stan, l.kind, min(l.amount) AS amount, max(l.amount) AS greatest,
        count(*) AS times, min(l.line) AS line, min(l.rrn) AS rrn, min(l.card_number) AS card
    FROM clearing_acquirerline l JOIN clearing_acquirerfile f ON f.id = l.file_id
    WHERE f.day_id = %(day)s GROUP BY f.acquirer, l.business_date, l.terminal, l.stan, l.kind
), joined AS (
    SELECT acquirer, business_date, terminal, stan, kind, o.amount AS our_amount, t.amount AS their_amount, o.id,
    t.line,
        coalesce(o.rrn, t.rrn) AS rrn, t.times, o.card AS our_card, t.card AS their_card,
        CASE WHEN t.times > 1 THEN 'duplicate' WHEN o.id IS NULL THEN 'only_theirs' WHEN t.line IS NULL THEN 'only_ours'
             WHEN o.amount <> t.amount OR t.greatest <> t.amount THEN 'amount' END AS reason
    FROM ours o FULL JOIN theirs t USING (acquirer, business_date, terminal, stan, kind)
)
SELECT j.acquirer, j.business_date, j.terminal, j.stan, j.kind, j.reason, j.our_amount, j.their_amount, j.id, j.line,
j.rrn,
    j.times, j.our_card, j.their_card
FROM joined j
WHERE j.reason IS NOT NULL AND NOT (j.reason IN ('only_ours', 'only_theirs') AND EXISTS (
    SELECT FROM joined other
    WHERE other.acquirer = j.acquirer AND other.business_date = j.business_date AND other.terminal = j.terminal
        AND other.stan = j.stan AND other.kind <> j.kind AND other.reason = j.reason
        AND coalesce(other.our_amount, other.their_amount) = coalesce(j.our_amount, j.their_amount)))
ORDER BY j.acquirer, j.business_date, j.terminal, j.stan, j.kind
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The result: flat when nothing differs."""

    day: Day
    items: list[Abnormal]

    @property
    def flat(self) -> bool:
        return not self.items


@action(Permission.CLEARING_IMPORT)
def reconcile_day(actor: Actor, *, day: Day) -> Reconciliation:
    """Compare what we booked with what the acquirers say, item by item. It can be repeated after a correction.

    A difference whose case ended on the same facts is explained: it counts no more, and a day whose differences are all
    explained is netted. Raises Refused: CLEARING_NO_FILE when an institution that booked something has not sent its
    file, STATE_FORBIDS
    after netting, ORGANISATION_OUT_OF_REACH.
    """
    actor.must_act_for(day.organisation_id)
    day = Day.objects.select_for_update(of=("self",)).get(pk=day.pk)
    state = DAY.after(day.state, "reconcile")
    present = set(files_of(day).values_list("acquirer", flat=True))
    for total in window_totals(day.window, day.organisation_id):
        if total.code not in present:
            raise Refused(Code.CLEARING_NO_FILE, acquirer=total.code, day=day.settlement_date.isoformat())
    items = [item for item in _differences(day) if not settled(day.organisation_id, item)]
    day_reconciled(actor, day, flat=not items)
    if items:
        open_cases(actor, items=items)
    day.state, day.differences, day.reconciled_at = state, len(items), timezone.now()
    day.save(update_fields=["state", "differences", "reconciled_at"])
    counted = {reason.value: sum(item.reason == reason for item in items) for reason in Reason}
    record(
        actor,
        "clearing.reconciled",
        f"day:{day.organisation_id}:{day.settlement_date.isoformat()}",
        flat=not items,
        differences=counted,
    )
    return Reconciliation(day, items)


def _differences(day: Day) -> list[Abnormal]:
    parameters = {
        "window": day.window_id,
        "date": day.settlement_date,
        "place": day.organisation_id,
        "day": day.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES, parameters)
        return [_abnormal(row, day.settlement_date.isoformat()) for row in cursor.fetchall()]


def _abnormal(row: tuple, day: str) -> Abnormal:  # type: ignore[type-arg]
    acquirer, business_date, terminal, stan, kind, reason, ours, theirs, number, line, rrn, times, *cards = row
    both = {"rrn": rrn, "settlement_date": day}
    return Abnormal(
        subject=f"{acquirer}:{terminal}:{business_date:%Y%m%d}:{stan:06d}:{kind}",
        reason=Reason(reason),
        amount=ours if theirs is None else theirs if ours is None else abs(ours - theirs) or theirs,
        ours=None if number is None else {"transaction": number, "amount": ours, "card": cards[0], **both},
        theirs=None if line is None else {"line": line, "amount": theirs, "times": times, "card": cards[1], **both},
    )
