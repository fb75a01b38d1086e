"""Reading accounts (S6): balances, statements, and the proof that the ledger holds. Amounts are fen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet, Sum

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.organisations.models import Organisation
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.models import Account, Entry, Kind
from sheka.systems.cards.queries import card_named

PERSONAL_SCHEMES = ("310",)
"""Schemes with a personal account: employee medical insurance. Resident medical insurance pools everything."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the ledger does not hold: which account or posting, and what is wrong."""

    subject: str
    fault: str


def account_of(person_id: int, scheme: str = "310") -> Account | None:
    """A person's account of a scheme, None when there is none."""
    return Account.objects.filter(kind=Kind.PERSONAL, person_id=person_id, scheme=scheme).first()


def accounts_of_person(person_id: int) -> QuerySet[Account]:
    """Every account of a person, with its balance."""
    return Account.objects.filter(kind=Kind.PERSONAL, person_id=person_id).order_by("scheme")


def accounts_of(actor: Actor) -> QuerySet[Account]:
    """The accounts that the actor's organisation and those below it keep."""
    places = Organisation.objects.filter(path__within=actor.path).values("code")
    return Account.objects.filter(organisation_id__in=places).order_by("kind", "number")


def account_numbered(number: str) -> Account:
    """One account. Raises Refused(ACCOUNT_UNKNOWN)."""
    try:
        return Account.objects.select_related("organisation").get(number=number)
    except Account.DoesNotExist:
        raise Refused(Code.ACCOUNT_UNKNOWN, account=number) from None


@action(Permission.ACCOUNT_VIEW)
def accounts_of_card(actor: Actor, card_number: str) -> list[Account]:
    """The accounts of the person who holds a card; an audited read. Raises Refused(CARD_UNKNOWN)."""
    card = card_named(actor, card_number)
    read_recorded(actor, "account.read", card.subject)
    return list(accounts_of_person(card.person_id))


@action(Permission.ACCOUNT_VIEW)
def account_read(actor: Actor, number: str) -> Account:
    """One account of the actor's organisation or below it, for its statement; an audited read.

    Raises Refused(ACCOUNT_UNKNOWN), also for one out of reach.
    """
    found = accounts_of(actor).filter(number=number).first()
    read_recorded(actor, "account.read", f"account:{number}", found=found is not None)
    if found is None:
        raise Refused(Code.ACCOUNT_UNKNOWN, account=number)
    return found


def balance(account: Account) -> int:
    """The balance now: from the row of a personal account, as the sum of the entries elsewhere."""
    if account.balance is not None:
        return Account.objects.values_list("balance", flat=True).get(pk=account.pk) or 0
    return Entry.objects.filter(account=account).aggregate(total=Sum("amount"))["total"] or 0


def balance_at(account: Account, at: datetime) -> int:
    """The balance after the last entry booked before `at`."""
    entries = Entry.objects.filter(account=account, booked_at__lt=at)
    if account.balance is None:
        return entries.aggregate(total=Sum("amount"))["total"] or 0
    return entries.order_by("-posting_id").values_list("balance_after", flat=True).first() or 0


def statement(account: Account, *, since: datetime | None = None, until: datetime | None = None) -> QuerySet[Entry]:
    """The entries of an account, the latest first."""
    entries = Entry.objects.filter(account=account)
    if since is not None:
        entries = entries.filter(booked_at__gte=since)
    if until is not None:
        entries = entries.filter(booked_at__lt=until)
    return entries.order_by("-posting_id")


#: Each query answers what does not hold (subject, fault); then what it looks at.
CHECKS = (
    (
        "SELECT 'ledger', 'all entries sum to ' || sum(amount) FROM accounts_entry HAVING sum(amount) <> 0",
        "the sum of all entries",
    ),
    (
        "SELECT 'posting:' || posting_id, 'its entries sum to ' || sum(amount) || ', in number ' || count(*)"
        " FROM accounts_entry GROUP BY posting_id HAVING sum(amount) <> 0 OR count(*) < 2",
        "each posting",
    ),
    (
        "SELECT 'account:' || a.number, 'balance ' || a.balance || ', entries ' || coalesce(e.total, 0)"
        " FROM accounts_account a"
        " LEFT JOIN (SELECT account_id, sum(amount) AS total FROM accounts_entry GROUP BY account_id) e"
        " ON e.account_id = a.id"
        " WHERE a.balance IS NOT NULL AND a.balance <> coalesce(e.total, 0)",
        "each balance",
    ),
    (
        "SELECT 'posting:' || posting_id, 'the running balance does not follow' FROM ("
        "  SELECT posting_id, balance_after, sum(amount) OVER (PARTITION BY account_id ORDER BY posting_id) AS running"
        "  FROM accounts_entry WHERE balance_after IS NOT NULL) r WHERE balance_after <> running",
        "each running balance",
    ),
    (
        "SELECT 'posting:' || e.posting_id, 'there is no account ' || e.account_id FROM accounts_entry e"
        " LEFT JOIN accounts_account a ON a.id = e.account_id WHERE a.id IS NULL",
        "each account",
    ),
    (
        "SELECT 'account:' || number, 'below zero' FROM accounts_account WHERE never_negative AND balance < 0",
        "no overdraft",
    ),
    (
        "SELECT 'transfer:' || t.client_id, 'booked ' || t.amount || ', entries ' || coalesce(e.amount, 0)"
        " FROM accounts_transfer t"
        " LEFT JOIN accounts_entry e ON e.posting_id = t.posting_id AND e.account_id = t.credit_id"
        " WHERE coalesce(e.amount, 0) <> CASE WHEN t.refusal = 0 THEN t.amount ELSE 0 END",
        "each transfer",
    ),
    (
        "SELECT 'posting:' || e.posting_id, 'entries without their transfer' FROM accounts_entry e"
        " LEFT JOIN accounts_transfer t ON t.posting_id = e.posting_id WHERE e.kind >= 3 AND t.client_id IS NULL",
        "each document",
    ),
)


@whole_node("double entry is proved over every account of the node")
def verify_ledger() -> list[Fault]:
    """Recompute every balance from the entries. An empty list means that the ledger holds.

    The order of numbers is the order in which one account was booked only if its row was locked first: a purchase
    takes its number after it has locked the account, so running balances follow the numbers.
    """
    found: list[Fault] = []
    with connection.cursor() as cursor:
        for query, _ in CHECKS:
            cursor.execute(query)
            found += [Fault(*row) for row in cursor.fetchall()]
    return found
