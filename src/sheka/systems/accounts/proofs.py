"""The proof that the ledger holds (S6, C2): every sum, every running balance and everything held is reckoned anew.

Each check is one statement, hence one moment, and answers what does not hold; the database sorts and sums on disk where
it must, so memory stays small at any number of entries. A higher system adds proofs of its own (`proof`), in its module
`proofs`, found when the node starts: accounts know nothing of card transactions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import connection, transaction

from sheka.foundation.terms import Term
from sheka.office.scope import whole_node

MOST = 1000
"""So many faults of one check are told; a broken ledger needs no longer list."""
WORK_MEM = "64MB"


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the ledger does not hold: which account or posting, and what is wrong."""

    subject: str
    fault: str


@dataclass(frozen=True, slots=True)
class Proved:
    """One check as it went: its name, what it found, and how long it took in seconds."""

    name: Term
    faults: tuple[Fault, ...]
    seconds: float

    @property
    def holds(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class Check:
    """One statement: rows (subject, fault) of what does not hold."""

    name: Term
    query: str

    def faults(self) -> list[Fault]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
            cursor.execute(f"{self.query} LIMIT {MOST}")
            return [Fault(*row) for row in cursor.fetchall()]


CHECKS = (
    Check(
        Term("全部分录合计为零", "the sum of all entries"),
        "SELECT 'ledger', 'all entries sum to ' || sum(amount) FROM accounts_entry HAVING sum(amount) <> 0",
    ),
    Check(
        Term("每笔记账借贷平衡", "each posting"),
        "SELECT 'posting:' || posting_id, 'its entries sum to ' || sum(amount) || ', in number ' || count(*)"
        " FROM accounts_entry GROUP BY posting_id HAVING sum(amount) <> 0 OR count(*) < 2",
    ),
    Check(
        Term("账户余额等于分录合计", "each balance"),
        "SELECT 'account:' || a.number, 'balance ' || a.balance || ', entries ' || coalesce(e.total, 0)"
        " FROM accounts_account a"
        " LEFT JOIN (SELECT account_id, sum(amount) AS total FROM accounts_entry WHERE balance_after IS NOT NULL"
        "  GROUP BY account_id) e ON e.account_id = a.id"
        " WHERE a.balance IS NOT NULL AND a.balance <> coalesce(e.total, 0)",
    ),
    Check(
        Term("逐笔余额连续", "each running balance"),
        "SELECT 'posting:' || posting_id, 'the running balance does not follow' FROM ("
        "  SELECT posting_id, balance_after, sum(amount) OVER (PARTITION BY account_id ORDER BY posting_id) AS running"
        "  FROM accounts_entry WHERE balance_after IS NOT NULL) r WHERE balance_after <> running",
    ),
    Check(
        Term("分录的账户存在", "each account"),
        "SELECT 'account:' || e.account_id, 'entries of an account that is not there, or of another kind of balance'"
        " FROM (SELECT account_id, balance_after IS NULL AS summed FROM accounts_entry GROUP BY 1, 2) e"
        " LEFT JOIN accounts_account a ON a.id = e.account_id"
        " WHERE a.id IS NULL OR (a.balance IS NULL) <> e.summed",
    ),
    Check(
        Term("无透支", "no overdraft"),
        "SELECT 'account:' || number, 'below zero' FROM accounts_account WHERE never_negative AND balance - held < 0",
    ),
    Check(
        Term("预留合计等于账户预留额", "each held sum"),
        "SELECT 'account:' || a.number, 'held ' || a.held || ', pending ' || coalesce(p.total, 0)"
        " FROM accounts_account a LEFT JOIN ("
        "  SELECT p.account_id, sum(p.amount) AS total FROM accounts_pending p"
        "  LEFT JOIN accounts_pending_end e ON e.pending_id = p.id WHERE e.pending_id IS NULL GROUP BY p.account_id"
        " ) p ON p.account_id = a.id"
        " WHERE a.held <> CASE WHEN a.balance IS NULL THEN 0 ELSE coalesce(p.total, 0) END",
    ),
    Check(
        Term("在押预留与登记一致", "what is open"),
        "SELECT 'pending:' || coalesce(p.id, o.pending_id), 'open and not pending, pending and not open, or not alike'"
        " FROM (SELECT p.* FROM accounts_pending p LEFT JOIN accounts_pending_end e ON e.pending_id = p.id"
        "  WHERE e.pending_id IS NULL) p"
        " FULL JOIN accounts_pending_open o ON o.pending_id = p.id"
        " WHERE (p.account_id, p.counter_id, p.amount, p.expires_at)"
        "  IS DISTINCT FROM (o.account_id, o.counter_id, o.amount, o.expires_at)",
    ),
    Check(
        Term("预留只了结一次且不超额", "each end"),
        "SELECT 'pending:' || e.pending_id, 'ended as ' || e.ending || ' with ' || e.amount || ' of ' ||"
        " coalesce(p.amount, 0) || ', posted ' || coalesce(-b.amount, 0)"
        " FROM accounts_pending_end e LEFT JOIN accounts_pending p ON p.id = e.pending_id"
        " LEFT JOIN accounts_entry b ON b.account_id = p.account_id AND b.posting_id = e.posting_id"
        " WHERE p.id IS NULL OR e.amount > p.amount OR coalesce(-b.amount, 0) < e.amount"
        "  OR (e.ending = 1) <> (b.posting_id IS NOT NULL)"
        " UNION ALL SELECT 'pending:' || pending_id, 'ended ' || count(*) || ' times' FROM accounts_pending_end"
        " GROUP BY pending_id HAVING count(*) > 1",
    ),
    Check(
        Term("转账与分录一致", "each transfer"),
        "SELECT 'transfer:' || client_id, 'booked ' || amount || ', entries ' || taken || ' and ' || given FROM ("
        "  SELECT t.*, coalesce(d.amount, 0) AS taken, coalesce(e.amount, 0) AS given,"
        "   CASE WHEN t.refusal = 0 AND t.verb IN (1, 3) THEN t.amount ELSE 0 END AS right"
        "  FROM accounts_transfer t"
        "  LEFT JOIN accounts_entry e ON e.posting_id = t.posting_id AND e.account_id = t.credit_id"
        "  LEFT JOIN accounts_entry d ON d.posting_id = t.posting_id AND d.account_id = t.debit_id) t"
        " WHERE given <> t.right OR taken <> -t.right",
    ),
    Check(
        Term("预留类转账与登记一致", "each hold"),
        "SELECT 'transfer:' || t.client_id, 'what it held or ended is not there'"
        " FROM accounts_transfer t"
        " LEFT JOIN accounts_pending p ON p.id = t.posting_id AND t.verb = 2 AND p.amount = t.amount"
        "  AND p.account_id = t.debit_id"
        " LEFT JOIN accounts_pending_end e ON e.pending_id = t.pending_id AND (t.verb = 4 AND e.ending = 2"
        "  OR t.verb = 3 AND e.ending = 1 AND e.posting_id = t.posting_id AND e.amount = t.amount)"
        " WHERE t.verb <> 1 AND (t.refusal = 0) <> (p.id IS NOT NULL OR e.pending_id IS NOT NULL)"
        "  AND NOT (t.refusal <> 0 AND t.verb = 4)",
    ),
    Check(
        Term("成组转账全有或全无", "each chain"),
        "SELECT 'chain:' || chain, 'done in part' FROM accounts_transfer WHERE chain IS NOT NULL GROUP BY chain"
        " HAVING bool_or(refusal = 0) AND (bool_or(refusal <> 0) OR count(*) <> max(chain_size))",
    ),
    Check(
        Term("每条分录有其凭证", "each document"),
        "SELECT 'posting:' || e.posting_id, 'entries without their transfer' FROM accounts_entry e"
        " LEFT JOIN accounts_transfer t ON t.posting_id = e.posting_id"
        " WHERE e.kind NOT IN (1, 2, 5, 6, 7) AND t.client_id IS NULL",  # models.OF_THE_SWITCH
    ),
    Check(  # what was booked by a decision of two (4, 12) stands beside the node's own books, here and below
        Term("在途账户等于在途转移", "each transit account"),
        "SELECT 'transit:' || organisation_id || ':' || other, 'under way ' || coalesce(m.total, 0) || ', entries ' ||"
        " coalesce(e.total, 0) FROM ("
        "  SELECT organisation_id, other, sum(CASE side || state WHEN 'outsent' THEN amount WHEN 'intaken' THEN -amount"
        "   ELSE 0 END) AS total FROM accounts_moving GROUP BY 1, 2) m"
        " FULL JOIN (SELECT a.organisation_id, a.party AS other, sum(e.amount) AS total FROM accounts_account a"
        "  JOIN accounts_entry e ON e.account_id = a.id AND e.kind NOT IN (4, 12)"
        "  WHERE a.kind = 'transit' GROUP BY 1, 2) e"
        " USING (organisation_id, other) WHERE coalesce(m.total, 0) <> coalesce(e.total, 0)",
    ),
    Check(
        Term("销户后到账款等于其暂记款", "money after an end"),
        "SELECT 'late_money:' || organisation_id, 'waiting ' || coalesce(w.total, 0) || ', entries ' ||"
        " coalesce(e.total, 0) FROM ("
        "  SELECT organisation_id, sum(amount) AS total FROM accounts_latemoney WHERE state = 'waiting' GROUP BY 1) w"
        " FULL JOIN (SELECT a.organisation_id, sum(e.amount) AS total FROM accounts_account a"
        "  JOIN accounts_entry e ON e.account_id = a.id AND e.kind NOT IN (4, 12)"
        "  WHERE a.kind = 'suspense' AND a.party = 'LATE' GROUP BY 1) e"
        " USING (organisation_id) WHERE coalesce(w.total, 0) <> coalesce(e.total, 0)",
    ),
    Check(
        Term("每张付款单有其银行分录", "each payment out"),
        "SELECT 'payout:' || p.number, 'ordered ' || p.amount || ', entries ' || coalesce(e.amount, 0)"
        " FROM accounts_payout p LEFT JOIN accounts_account b ON b.organisation_id = p.organisation_id"
        "  AND b.kind = 'bank' AND b.party = 'PAYOUT'"
        " LEFT JOIN accounts_entry e ON e.account_id = b.id AND e.posting_id = p.posting"
        " WHERE coalesce(e.amount, 0) <> p.amount"
        " UNION ALL SELECT 'account:' || b.number, 'to the bank ' || e.total || ', ordered ' || p.total ||"
        " ', received ' || m.total FROM accounts_account b"
        " CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM accounts_entry"
        "  WHERE account_id = b.id AND kind IN (9, 10, 11)) e"
        " CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM accounts_payout"
        "  WHERE organisation_id = b.organisation_id) p"
        " CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM accounts_moving"
        "  WHERE organisation_id = b.organisation_id AND side = 'in' AND state = 'settled') m"
        " WHERE b.kind = 'bank' AND b.party = 'PAYOUT' AND e.total <> p.total - m.total",
    ),
    Check(
        Term("每笔更正有其红字分录且不超原额", "each correction"),
        "SELECT 'posting:' || c.original, 'taken back ' || c.total || ', contra entries ' || c.booked || ' of ' ||"
        " coalesce(t.amount, 0) FROM ("
        "  SELECT c.original, sum(c.amount) AS total, coalesce(sum(x.amount), 0) AS booked FROM accounts_correction c"
        "  LEFT JOIN accounts_transfer x ON x.posting_id = c.contra AND x.refusal = 0 AND x.amount = c.amount"
        "  GROUP BY c.original) c"
        " LEFT JOIN accounts_transfer t ON t.posting_id = c.original"
        " WHERE c.total <> c.booked OR c.total > coalesce(t.amount, 0)",
    ),
)

_proofs: list[tuple[Term, Callable[[], Iterable[Fault]]]] = []


def proof(name: Term) -> Callable[[Callable[[], Iterable[Fault]]], Callable[[], Iterable[Fault]]]:
    """Declare a proof of a higher system; it sees the whole node."""

    def register(prove: Callable[[], Iterable[Fault]]) -> Callable[[], Iterable[Fault]]:
        _proofs.append((name, prove))
        return prove

    return register


def names() -> list[Term]:
    """Every check, in its order."""
    return [*(check.name for check in CHECKS), *(name for name, _prove in _proofs)]


def proved(tell: Callable[[Term], None] = lambda _name: None) -> Iterator[Proved]:
    """Take the checks one after the other; `tell` is called with the name of each before it begins."""
    for check in CHECKS:
        yield _taken(check.name, check.faults, tell)
    for name, prove in _proofs:
        yield _taken(name, prove, tell)


@whole_node("double entry is proved over every account of the node")
def _taken(name: Term, prove: Callable[[], Iterable[Fault]], tell: Callable[[Term], None]) -> Proved:
    tell(name)
    began = time.monotonic()
    return Proved(name, tuple(islice(prove(), MOST)), time.monotonic() - began)


@whole_node("double entry is proved over every account of the node")
def verify_ledger() -> list[Fault]:
    """Every check of the ledger itself. An empty list means that it holds.

    The order of numbers is the order in which one account was booked only if its row was locked first: a purchase
    takes its number after it has locked the account, so running balances follow the numbers.
    """
    return [fault for check in CHECKS for fault in check.faults()]
