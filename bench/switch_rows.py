"""A switch whose tables are not empty: millions of booked purchases of earlier days, made by SQL (S4).

Each day's partition is made beside the others with its indexes and then attached, as the archive puts one back; the
entries follow, every balance is what the entries say, so that `verify_ledger` holds over them as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

from bench.switch_world import BenchWorld

A_DAY = 500_000
AMOUNT = 100
_DAY = """
INSERT INTO {table} (id, account_id, card_id, amount, balance_after, window_id, seal, booked_at, business_date,
        institution_id, terminal_id, stan, local_time, refusal, kind, currency, country, card_number, scheme, rrn)
SELECT %(first)s + n, a.account_id, a.card_id, %(amount)s,
    a.balance - %(amount)s * ((%(offset)s + n) / %(cards)s + 1), 1, 0, %(day)s::timestamptz + n * interval '100 ms',
    %(day)s, %(institution)s, n %% %(terminals)s + %(terminal)s, n / %(terminals)s + 1, n %% 86400, 0, 1, 156, 156,
    a.number, '310', lpad((%(first)s + n)::text, 12, '0')
FROM generate_series(0, %(count)s - 1) AS n JOIN bench_payer a ON a.place = (%(offset)s + n) %% %(cards)s
"""
_ENTRIES = """
INSERT INTO accounts_entry (posting_id, account_id, amount, balance_after, booked_at, document_date, kind)
SELECT t.id, e.account_id, e.amount, e.balance, t.booked_at, t.business_date, 1
FROM {table} t CROSS JOIN LATERAL
    (VALUES (t.account_id, -t.amount, t.balance_after), (%(counter)s::bigint, t.amount, NULL))
    AS e (account_id, amount, balance)
"""


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes a transaction at this many rows, indexes included: its own row, its two entries."""

    rows: int
    transaction: float
    entries: float


def fill(world: BenchWorld, rows: int, a_day: int = A_DAY) -> Iterator[int]:
    """Make `rows` booked purchases in days of `a_day` before yesterday; yields how many there are."""
    name = world.node.file.database.name
    with world.cluster.administrator(name) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("SET synchronous_commit = off")
        start = int(str(one(connection, "SELECT last_value FROM accounts_posting_id"))) + 1
        counter = one(connection, "SELECT account_id FROM transactions_institution")
        yield from make_days(connection, world.today.date(), rows, a_day, terminals=world.terminals, counter=counter)
        connection.execute(
            "UPDATE accounts_account a SET balance = a.balance - s.total"
            " FROM (SELECT account_id, -sum(amount) AS total FROM accounts_entry WHERE kind = 1 AND posting_id >= %s"
            " AND balance_after IS NOT NULL GROUP BY 1) s WHERE s.account_id = a.id",
            [start],
        )
        connection.execute("VACUUM ANALYZE transactions_transaction, accounts_entry, accounts_account")
        connection.execute("CHECKPOINT")


def make_days(
    connection: psycopg.Connection[tuple[object, ...]],
    today: date,
    rows: int,
    a_day: int,
    *,
    institution: int = 1,
    terminal: int = 1,
    terminals: int = 1,
    counter: object = None,
) -> Iterator[int]:
    """Partitions of purchases of an institution at its terminals from number `terminal` on, in days before yesterday;
    `counter`: the account of their other entries, None: no entries. Yields how many rows there are.
    """
    cards = _payers(connection)
    first = start = _numbers(connection, rows)
    days = -(-rows // a_day)
    for number in range(days):
        day = today - timedelta(days=2 + days - number)
        count = min(a_day, rows - number * a_day)
        values = {
            "first": first,
            "offset": first - start,
            "count": count,
            "day": day,
            "cards": cards,
            "amount": AMOUNT,
            "institution": institution,
            "terminal": terminal,
            "terminals": terminals,
            "counter": counter,
        }
        table = f"transactions_transaction_{day:%Y%m%d}"
        with connection.transaction():
            connection.execute(f"CREATE TABLE {table} (LIKE transactions_transaction INCLUDING DEFAULTS)")
            connection.execute(_DAY.format(table=table), values)
            if counter is not None:
                connection.execute(_ENTRIES.format(table=table), values)
            connection.execute(
                f"ALTER TABLE transactions_transaction ATTACH PARTITION {table}"
                f" FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"
            )
        first += count
        yield first - start


def growth(world: BenchWorld) -> Growth:
    """What the rows take, by PostgreSQL's own sizes."""
    with world.cluster.administrator(world.node.file.database.name) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM transactions_transaction),"
            " (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits"
            "  WHERE inhparent = 'transactions_transaction'::regclass),"
            " (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits"
            "  WHERE inhparent = 'accounts_entry'::regclass)"
        ).fetchone()
    count, own, entries = (int(value) for value in row or (0, 0, 0))
    return Growth(count, own / count, entries / count)


def one(connection: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    """The first value of the first row."""
    row = connection.execute(query).fetchone()  # type: ignore[arg-type]
    return row[0] if row else None


def _payers(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    """Accounts with a card by a place from 0; how many."""
    connection.execute("DROP TABLE IF EXISTS bench_payer")
    connection.execute(
        "CREATE TABLE bench_payer AS SELECT row_number() OVER (ORDER BY a.id) - 1 AS place, a.id AS account_id,"
        " c.id AS card_id, c.number::text AS number, a.balance"
        " FROM accounts_account a JOIN cards_card c ON c.person_id = a.person_id WHERE a.kind = 'personal'"
    )
    connection.execute("ALTER TABLE bench_payer ADD PRIMARY KEY (place); ANALYZE bench_payer")
    return int(str(one(connection, "SELECT count(*) FROM bench_payer")))


def _numbers(connection: psycopg.Connection[tuple[object, ...]], rows: int) -> int:
    """Take so many posting numbers, with room for their entries; the first."""
    connection.execute("SELECT accounts_make_stretches(%s)", [(rows >> 22) + 8])
    first = int(str(one(connection, "SELECT last_value FROM accounts_posting_id"))) + 1
    connection.execute("SELECT setval('accounts_posting_id', %s)", [first + rows])
    return first
