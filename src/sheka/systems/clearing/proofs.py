"""What clearing adds to the proof of the books (S8): nothing of an institution's money is outside every net."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from sheka.foundation.terms import Term
from sheka.systems.accounts.proofs import Fault, proof
from sheka.systems.transactions.queries import EFFECT

#: The balance of an institution's account is what its nets say, and what stands in windows that are not netted yet. One
#: statement, hence one moment: purchases go on.
_NETS = f"""
WITH netted AS (SELECT window_id, organisation_id FROM clearing_day WHERE state = 'netted')
SELECT 'institution:' || i.code, 'entries ' || coalesce(e.total, 0) || ', nets ' || coalesce(n.total, 0)
    || ', not netted yet ' || coalesce(c.total, 0) + coalesce(x.total, 0)
FROM transactions_institution i
LEFT JOIN (SELECT account_id, sum(amount) AS total FROM accounts_entry
    WHERE account_id IN (SELECT account_id FROM transactions_institution) GROUP BY 1) e ON e.account_id = i.account_id
LEFT JOIN (SELECT institution_id, sum(amount) AS total FROM clearing_net GROUP BY 1) n ON n.institution_id = i.id
LEFT JOIN (
    SELECT t.institution_id, -sum({EFFECT}) AS total FROM transactions_transaction t
    JOIN transactions_institution o ON o.id = t.institution_id
    LEFT JOIN netted d ON d.window_id = t.window_id AND d.organisation_id = o.organisation_id
    WHERE t.refusal = 0 AND t.account_id IS NOT NULL AND d.window_id IS NULL GROUP BY 1) c ON c.institution_id = i.id
LEFT JOIN (
    SELECT o.id, sum(side.amount) AS total FROM accounts_transfer t
    CROSS JOIN LATERAL (VALUES (t.debit_id, -t.amount), (t.credit_id, t.amount)) AS side (account, amount)
    JOIN transactions_institution o ON o.account_id = side.account
    LEFT JOIN netted d ON d.window_id = t.window_id AND d.organisation_id = o.organisation_id
    WHERE t.refusal = 0 AND t.verb IN (1, 3) AND d.window_id IS NULL GROUP BY 1) x ON x.id = i.id
WHERE i.test_of_id IS NULL
    AND coalesce(e.total, 0) <> coalesce(n.total, 0) + coalesce(c.total, 0) + coalesce(x.total, 0)
"""  # noqa: S608 - constants only


@proof(Term("各机构账户余额等于已轧差与未轧差之和", "the nets of each institution"))
def nets() -> Iterable[Fault]:
    with connection.cursor() as cursor:
        cursor.execute(_NETS)
        return [Fault(*row) for row in cursor.fetchall()]
