"""Nothing disappears: every abnormal row has its case, and every ended case its entry or its reason (S10)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from sheka.office.scope import whole_node

#: A row may wait 60 seconds for its case: the turn comes every few seconds.
CHECKS = (
    (
        "abnormal rows without a case",
        "SELECT 'abnormal:' || a.id, a.kind FROM transactions_abnormal a"
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
        "SELECT 'day:' || d.organisation_id || ':' || d.settlement_date, d.differences || ' differences'"
        " FROM clearing_day d WHERE d.differences > 0 AND NOT EXISTS"
        " (SELECT FROM exceptions_exceptioncase c WHERE c.organisation_id = d.organisation_id"
        "  AND c.reason IN ('only_ours', 'only_theirs', 'amount', 'duplicate'))",
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
    found: list[Loss] = []
    with connection.cursor() as cursor:
        for name, query in CHECKS:
            cursor.execute(query)
            found += [Loss(name, *row) for row in cursor.fetchall()]
    return found
