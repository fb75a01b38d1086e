"""Nothing disappears: every abnormal row has its case, and every ended case its entry or its reason (S10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from sheka.office.scope import whole_node
from sheka.systems.exceptions.actions.take_findings import BACK_SECONDS, QUIET_SECONDS, untold_of
from sheka.systems.exceptions.models import Finding
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.sources import of_batch
from sheka.systems.transactions.queries_of_batches import unbalanced_batches
from sheka.systems.transactions.queries_of_unanswered import ended_processes

BOOKED = "bookings whose switch died before it answered, without a case"
SETTLED = "settlements out of balance that nothing followed, without a case"
MOST = 10_000

#: A row may wait 60 seconds for its case: the turn comes every few seconds.
CHECKS = (
    (
        "abnormal rows without a case",
        "SELECT 'abnormal:' || a.id, a.kind FROM transactions_abnormal a"
        " JOIN transactions_institution i ON i.id = a.institution_id AND i.test_of_id IS NULL"  # tests make no case
        " WHERE a.at < now() - interval '60 seconds' AND NOT EXISTS"
        " (SELECT FROM exceptions_finding f WHERE f.source = 'switch' AND f.number = a.id)",
    ),
    (
        "expired holds without a case",
        "SELECT 'hold:' || e.pending_id, 'expired' FROM accounts_pending_end e"
        " JOIN accounts_pending p ON p.id = e.pending_id"
        " WHERE e.ending = 3 AND p.kind = 1 AND e.at < now() - interval '60 seconds' AND NOT EXISTS"
        " (SELECT FROM exceptions_finding f WHERE f.source = 'holds' AND f.number = e.pending_id)",
    ),
    (
        "differences of clearing days without a case",
        """
        SELECT 'day:' || d.organisation_id || ':' || d.settlement_date,
            d.differences || ' differences, ' || n.cases || ' cases'
        FROM clearing_day d CROSS JOIN LATERAL (
            SELECT count(*) AS cases FROM exceptions_exceptioncase c
            WHERE c.organisation_id = d.organisation_id
                AND c.reason IN ('only_ours', 'only_theirs', 'amount', 'duplicate')
                AND (c.ours->>'settlement_date' = d.settlement_date::text
                    OR c.theirs->>'settlement_date' = d.settlement_date::text
                    OR EXISTS (SELECT FROM exceptions_caseevent e WHERE e.case_id = c.id AND e.verb = 'again'
                        AND e.facts->>'settlement_date' = d.settlement_date::text))
        ) n WHERE d.differences > n.cases
        """,
    ),
    (
        "requests without an answer, without a case",
        """
        SELECT 'message:' || s.id, s.type FROM transactions_message s
        JOIN transactions_terminal m ON m.number = s.terminal
        JOIN transactions_institution i ON i.id = m.institution_id AND i.test_of_id IS NULL
        WHERE (s.went_at IS NULL OR s.refusal = 4430) AND s.stan IS NOT NULL AND substr(s.type, 2, 1) IN ('2', '4')
            AND s.came_at BETWEEN now() - interval '6 hours' AND now() - interval '70 seconds'
            AND s.day >= current_date - 4
            AND NOT EXISTS (SELECT FROM exceptions_finding f WHERE f.source = 'line' AND f.number = s.id)
        """,
    ),
    (
        "disputes that ended without a decision",
        """
        SELECT 'exception:' || c.number, c.state FROM exceptions_dispute p
        JOIN exceptions_exceptioncase c ON c.id = p.case_id
        WHERE c.state IN ('closed', 'resolved') AND p.decided_at IS NULL AND c.closing <> 'withdrawn'
        """,
    ),
    (
        "disputes that were granted more than was claimed",
        """
        SELECT 'exception:' || c.number, g.granted || ' of ' || p.claimed FROM exceptions_dispute p
        JOIN exceptions_exceptioncase c ON c.id = p.case_id
        CROSS JOIN LATERAL (SELECT coalesce(sum((e.facts->>'granted')::bigint), 0) AS granted
            FROM exceptions_caseevent e WHERE e.case_id = c.id AND e.verb = 'resolve') g
        WHERE g.granted > p.claimed
        """,
    ),
    (
        "cases that ended without an entry or a reason",
        "SELECT 'exception:' || number, state FROM exceptions_exceptioncase"
        " WHERE state = 'resolved' AND entry IS NULL OR state = 'closed' AND resolution = ''",
    ),
    (
        "cases whose entry the ledger does not have",
        "SELECT 'exception:' || c.number, 'posting ' || c.entry FROM exceptions_exceptioncase c"
        " LEFT JOIN accounts_entry e ON e.posting_id = c.entry"
        " WHERE c.state = 'resolved' AND e.posting_id IS NULL",
    ),
    (
        "an adjustment that is booked and stands in no case",
        "SELECT 'posting:' || t.posting_id, t.reference FROM accounts_transfer t"
        " LEFT JOIN exceptions_exceptioncase c ON c.number = t.reference"
        " WHERE t.kind = 12 AND t.refusal = 0 AND t.reference LIKE 'EX%' AND c.id IS NULL",
    ),
    (
        "cases whose life does not end where they stand",
        "SELECT 'exception:' || c.number, c.state || ', its last line says ' || coalesce(e.state, 'nothing')"
        " FROM exceptions_exceptioncase c LEFT JOIN LATERAL (SELECT state FROM exceptions_caseevent e"
        "  WHERE e.case_id = c.id ORDER BY e.id DESC LIMIT 1) e ON true WHERE e.state IS DISTINCT FROM c.state",
    ),
)


@dataclass(frozen=True, slots=True)
class Loss:
    """What was lost sight of: where, and what is wrong there."""

    check: str
    subject: str
    fault: str


@whole_node("nothing may disappear in any organisation of the node")
def check_exceptions() -> list[Loss]:
    """An empty list means that nothing disappeared."""
    found = [Loss(name, *row) for name, row in _lost_in_time()]
    with connection.cursor() as cursor:
        for name, query in CHECKS:
            cursor.execute(query)
            found += [Loss(name, *row) for row in cursor.fetchall()]
    return found


def _lost_in_time() -> list[tuple[str, tuple[str, str]]]:
    """What only passing time makes abnormal: bookings of a switch that died, settlements that nothing followed."""
    since = timezone.now() - timedelta(seconds=BACK_SECONDS)
    rows = [
        (BOOKED, item)
        for process in ended_processes(since=int(since.timestamp()), quiet=QUIET_SECONDS + 60)
        for _place, item in untold_of(process, MOST)
    ]
    patience = policy().batch_minutes * 60 + 60
    rows += [(SETTLED, of_batch(row)) for row in unbalanced_batches(after=0, patience=patience, limit=MOST)]
    keys = [item.found[:2] for _name, item in rows if item.found is not None]
    known = set(Finding.objects.filter(number__in=[number for _, number in keys]).values_list("source", "number"))
    return [
        (name, (f"{item.found[0]}:{item.found[1]}", item.subject))
        for name, item in rows
        if item.found is not None and item.found[:2] not in known
    ]
