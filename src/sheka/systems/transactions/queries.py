"""Reading transactions (S4): by card, by account, by key, and the proof that their seals hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import is_partner, organisation
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.queries import Fault, accounts_of_person
from sheka.systems.transactions.archive_proof import archived_faults, archived_seals
from sheka.systems.transactions.models import Institution, Terminal, Transaction, TransactionKind, Window
from sheka.systems.transactions.sealing import COLUMNS, GENESIS, STREAM_SHIFT, root_of

FEW_TERMINALS = 200
"""An institution with at most so many terminals is looked for through them."""
#: A row whose day has no partition yet is not found here: the caller's query without a day finds it in the rest.
_DAY_OF = """
SELECT t.business_date FROM transactions_partitions() p CROSS JOIN LATERAL
    (SELECT o.business_date FROM transactions_transaction o WHERE o.business_date = p.day AND o.id = %s LIMIT 1) t
LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class SealFault:
    """A seal that does not hold."""

    seal: int
    fault: str


def transactions_of_account(account_id: int, *, since: date | None = None) -> QuerySet[Transaction]:
    """What was asked of an account, approved or not, the latest first."""
    rows = Transaction.objects.filter(account_id=account_id).select_related("institution", "terminal")
    if since is not None:
        rows = rows.filter(business_date__gte=since)
    return rows.order_by("-id")


def transactions_of_person(person_id: int, *, since: date | None = None) -> QuerySet[Transaction]:
    """What was asked of a person's personal accounts, with whichever card, the latest first."""
    accounts = list(accounts_of_person(person_id).values_list("pk", flat=True))
    rows = Transaction.objects.filter(account_id__in=accounts)
    if since is not None:
        rows = rows.filter(business_date__gte=since)
    return rows.select_related("institution", "terminal").order_by("-id")


def transactions_of_card(card_number: str, *, since: date | None = None) -> QuerySet[Transaction]:
    """What was asked of its holder's accounts with one card, the latest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_id FROM cards_holder(%s)", [card_number])
        row = cursor.fetchone()
    if row is None:
        return Transaction.objects.none()
    return transactions_of_person(row[0], since=since).filter(card_number=card_number)


def transactions_in_reach(actor: Actor, *, on: date | None = None) -> QuerySet[Transaction]:
    """The transactions of the institutions of the actor's organisation and those below it."""
    rows = Transaction.objects.filter(institution__organisation_id__in=_places(actor))
    if on is not None:
        rows = rows.filter(business_date=on)
    return rows.select_related("institution", "terminal").order_by("-business_date", "-id")


def transactions_read_by(actor: Actor, *, on: date | None = None) -> QuerySet[Transaction]:
    """The transactions that a client reads: a partner those of the institution that it is, others those in reach."""
    if not is_partner(organisation(actor.organisation)):
        return transactions_in_reach(actor, on=on)
    rows = at_institution(Transaction.objects.all(), actor.organisation)
    if on is not None:
        rows = rows.filter(business_date=on)
    return rows.select_related("institution", "terminal").order_by("-business_date", "-id")


def at_institution(rows: QuerySet[Transaction], code: str) -> QuerySet[Transaction]:
    """Those of one institution. One with few terminals is found through them, because the key of a day's partition
    begins with the terminal; one with many has so many rows that the latest ones are found in the order of booking.
    """
    found = Institution.objects.filter(code=code).first()
    if found is None:
        return rows.none()
    rows = rows.filter(institution_id=found.pk)
    terminals = list(Terminal.objects.filter(institution=found).values_list("pk", flat=True)[: FEW_TERMINALS + 1])
    return rows.filter(terminal_id__in=terminals) if len(terminals) <= FEW_TERMINALS else rows


def at_terminal(rows: QuerySet[Transaction], number: str) -> QuerySet[Transaction]:
    """Those of one terminal; its number is looked up first, so that the key of the partitions is used."""
    found = Terminal.objects.filter(number=number).values_list("pk", flat=True).first()
    return rows.none() if found is None else rows.filter(terminal_id=found)


def numbered(rows: QuerySet[Transaction], number: int) -> QuerySet[Transaction]:
    """The one with this number, whatever its day: each day's index is asked once, and only that of its day is read."""
    with connection.cursor() as cursor:
        cursor.execute(_DAY_OF, [number])
        row = cursor.fetchone()
    return rows.filter(id=number) if row is None else rows.filter(id=number, business_date=row[0])


def outcome_of(institution: str, terminal: str, business_date: date, stan: int) -> Transaction | None:
    """What became of a request, by its key: the answer to a terminal that does not know. None: it never came."""
    return (
        Transaction.objects.filter(
            business_date=business_date,
            terminal__number=terminal,
            stan=stan,
            institution__code=institution,
        )
        .exclude(kind=TransactionKind.REVERSAL)
        .select_related("institution", "terminal")
        .first()
    )


def reversal_of(purchase: Transaction) -> Transaction | None:
    """The reversal of a purchase, if it has one."""
    return Transaction.objects.filter(
        business_date=purchase.business_date,
        terminal_id=purchase.terminal_id,
        stan=purchase.stan,
        institution_id=purchase.institution_id,
        kind=TransactionKind.REVERSAL,
    ).first()


def institutions_of(actor: Actor) -> QuerySet[Institution]:
    """The institutions of the actor's organisation and those below it, without their test sides; of a partner the one
    that it is.
    """
    rows = Institution.objects.filter(test_of=None)
    if is_partner(organisation(actor.organisation)):
        return rows.filter(code=actor.organisation)
    return rows.filter(organisation_id__in=_places(actor)).order_by("code")


def terminals_of(institution: Institution) -> QuerySet[Terminal]:
    return Terminal.objects.filter(institution=institution).order_by("number")


def terminals_in_reach(actor: Actor) -> QuerySet[Terminal]:
    """The terminals of the institutions of the actor's organisation and those below it."""
    rows = Terminal.objects.filter(institution__organisation_id__in=_places(actor))
    return rows.select_related("institution").order_by("number")


def open_window() -> Window | None:
    """The window that purchases join now."""
    return Window.objects.filter(closed_at__isnull=True).first()


@dataclass(frozen=True, slots=True)
class WindowTotal:
    """What one institution booked in a window: number of transactions that moved money, and sums in fen: of what was
    taken from personal accounts (purchases, completions), and of what went back to them (reversals, voids, refunds).
    """

    institution_id: int
    code: str
    count: int
    purchases: int
    reversals: int


#: What a transaction did to the personal account, in fen (sql/kinds.sql).
EFFECT = "coalesce(t.moved, CASE t.kind WHEN 1 THEN -t.amount ELSE t.amount END)"
#: A reversal or void that takes money (of a refund, of a void) has ten more than its kind.
DIRECTED = f"CASE WHEN t.kind IN (2, 5) AND {EFFECT} < 0 THEN t.kind + 10 ELSE t.kind END"

#: Transactions that moved money in a window, never those of test terminals; a reversal lies in the partition of its
#: purchase, at most 40 days before; a window that stays open over a holiday takes the purchases of every day until it
#: is closed. `window` and its settlement `date` are given.
MOVED = (
    "t.window_id = %(window)s AND t.refusal = 0 AND t.account_id IS NOT NULL AND t.moved IS DISTINCT FROM 0"
    " AND t.business_date >= %(date)s::date - 40 AND t.business_date <= (SELECT 3 + greatest(w.settlement_date,"
    " (coalesce(w.closed_at, now()) AT TIME ZONE 'Asia/Shanghai')::date) FROM transactions_window w"
    " WHERE w.id = %(window)s) AND i.test_of_id IS NULL"
)

_TOTALS = f"""
SELECT i.id, i.code, count(*), coalesce(-sum({EFFECT}) FILTER (WHERE {EFFECT} < 0), 0),
    coalesce(sum({EFFECT}) FILTER (WHERE {EFFECT} > 0), 0)
FROM transactions_transaction t JOIN transactions_institution i ON i.id = t.institution_id
WHERE {MOVED} AND i.organisation_id = %(place)s GROUP BY i.id, i.code ORDER BY i.code
"""  # noqa: S608 - constants only


def window_totals(window: Window, organisation_code: str) -> list[WindowTotal]:
    """Per institution of an organisation, in one statement."""
    with connection.cursor() as cursor:
        parameters = {"window": window.pk, "date": window.settlement_date, "place": organisation_code}
        cursor.execute(_TOTALS, parameters)
        return [WindowTotal(*row) for row in cursor.fetchall()]


def days_of_window(window: Window) -> tuple[date, date]:
    """The first and last business date that a row of a window can have, as `MOVED` says it."""
    ended = max(window.settlement_date, timezone.localdate(window.closed_at))  # now, while it is open
    return window.settlement_date - timedelta(days=40), ended + timedelta(days=3)


def booked_lines(window_id: int, institution_code: str) -> Iterator[tuple[date, str, int, int, str, int, str]]:
    """Business date, terminal, STAN, kind (as DIRECTED), card number, amount, reference of what moved money, in the
    order of booking.
    """
    window = Window.objects.get(pk=window_id)
    first, last = days_of_window(window)
    rows = Transaction.objects.filter(
        business_date__range=(first, last),
        window_id=window_id,
        institution__code=institution_code,
        refusal=0,
        account__isnull=False,
    ).select_related("terminal")
    for row in rows.order_by("id").iterator():
        if row.effect:
            taken = row.effect < 0 and row.kind in (TransactionKind.REVERSAL, TransactionKind.VOID)
            kind = row.kind + 10 if taken else row.kind
            yield row.business_date, row.terminal.number, row.stan, kind, row.card_number, row.amount, row.rrn


#: Both sides: what came off the personal account went to the account of the transaction's own institution.
_BOOKED = f"""
SELECT 'transaction:' || t.id, 'effect ' || t.effect || ', entries ' || coalesce(e.amount, 0)
    || ', of its institution ' || coalesce(c.amount, 0) FROM (
    SELECT id, account_id, institution_id,
        CASE WHEN refusal <> 0 OR account_id IS NULL THEN 0 ELSE {EFFECT} END AS effect
    FROM transactions_transaction t
) t JOIN transactions_institution i ON i.id = t.institution_id
LEFT JOIN accounts_entry e ON e.account_id = t.account_id AND e.posting_id = t.id
LEFT JOIN accounts_entry c ON c.account_id = i.account_id AND c.posting_id = t.id
WHERE coalesce(e.amount, 0) <> t.effect OR coalesce(c.amount, 0) <> -t.effect
"""  # noqa: S608 - constants only
_KNOWN = """
SELECT 'posting:' || e.posting_id, 'an entry of a card transaction that does not exist' FROM accounts_entry e
LEFT JOIN transactions_transaction t ON t.business_date = e.document_date AND t.id = e.posting_id
WHERE e.kind IN (1, 2, 5, 6, 7) AND t.id IS NULL AND e.document_date NOT IN
    (SELECT business_date FROM transactions_archive WHERE state = 'detached')
"""


#: Nothing takes more of an original than it was.
_FOLLOWED = """
SELECT 'transaction:' || l.original, 'taken ' || l.taken || ' of ' || t.amount FROM (
    SELECT original, sum(amount) AS taken FROM transactions_link GROUP BY original
) l JOIN transactions_transaction t ON t.id = l.original WHERE l.taken > t.amount OR l.taken < 0
"""


@whole_node("entries and transactions are compared over the whole node")
def verify_transactions() -> list[Fault]:
    """Every approved transaction has its entries, every entry of a card transaction its transaction; those of archived
    days agree by number and sum.
    """
    with connection.cursor() as cursor:
        found = []
        for query in (_BOOKED, _KNOWN, _FOLLOWED):
            cursor.execute(query)
            found += [Fault(*row) for row in cursor.fetchall()]
    return found + archived_faults()


@whole_node("a seal covers the rows of every organisation in its batch")
def verify_seals() -> list[SealFault]:
    """Recompute every seal, stream by stream. An empty list means that they hold.

    One statement, hence one moment, read as it comes: purchases go on, and no more than a batch stands in memory.
    """
    faults: list[SealFault] = []
    archived = archived_seals()
    before, previous = 0, GENESIS
    for seal, group in groupby(_sealed_rows(), key=lambda row: row[0]):
        rows = list(group)
        count, root = rows[0][1], rows[0][2]
        if root is None:
            faults.append(SealFault(seal, "rows without a seal"))
            continue
        if seal >> STREAM_SHIFT != before >> STREAM_SHIFT:
            before, previous = seal >> STREAM_SHIFT << STREAM_SHIFT, GENESIS
        if seal != before + 1:
            faults.append(SealFault(before + 1, "a seal is missing"))
        sealed = [row[3:] for row in rows if row[3] is not None]
        if not sealed:
            if not archived.has(seal):
                faults.append(SealFault(seal, "its rows are missing"))
        elif len(sealed) != count:
            faults.append(SealFault(seal, f"{len(sealed)} rows, sealed were {count}"))
        elif root_of(previous, sealed) != bytes(root):
            faults.append(SealFault(seal, "a row was changed"))
        before, previous = seal, bytes(root)
    return sorted(faults, key=lambda fault: fault.seal)


_SEALED = f"""
SELECT coalesce(s.id, t.seal), s.rows, s.root, t.* FROM transactions_seal s
FULL JOIN (SELECT {COLUMNS}, seal FROM transactions_transaction) t ON t.seal = s.id ORDER BY 1, t.id
"""  # noqa: S608 - our own columns


def _sealed_rows() -> Iterator[tuple[Any, ...]]:
    """Each row beside its seal: the number of the seal, its count and root, and the columns as they are sealed."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_SEALED)
        while rows := cursor.fetchmany(5000):
            yield from (row[:-1] for row in rows)


def _places(actor: Actor) -> QuerySet[Organisation]:
    return Organisation.objects.filter(path__within=actor.path).values("code")
