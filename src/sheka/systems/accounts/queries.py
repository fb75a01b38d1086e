"""Reading accounts (S6): balances, statements, and the proof that the ledger holds. Amounts are fen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.models import Account, Ending, Entry, Kind, Pending, PendingEnd, PendingKind, PendingOpen
from sheka.systems.accounts.proofs import CHECKS, Fault, verify_ledger
from sheka.systems.cards.queries import card_named

__all__ = ["CHECKS", "Fault", "verify_ledger"]  # of proofs
PERSONAL_SCHEMES = ("310",)
"""Schemes with a personal account: employee medical insurance. Resident medical insurance pools everything."""


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


def available(account: Account) -> int:
    """What may be spent now: the balance less what is held. Where the row keeps no balance, nothing is held in it."""
    if account.balance is not None:
        return Account.objects.values_list(F("balance") - F("held"), flat=True).get(pk=account.pk)
    return balance(account)


def balance_at(account: Account, at: datetime) -> int:
    """The balance after the last entry booked before `at`.

    For an account that keeps its balance some thirty looks into the index of its entries, however many there are
    (accounts_balance_at); elsewhere the sum of the entries.
    """
    if account.balance is None:
        entries = Entry.objects.filter(account=account, booked_at__lt=at)
        return entries.aggregate(total=Sum("amount"))["total"] or 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_balance_at(%s, %s)", [account.pk, at])
        return cursor.fetchone()[0]


def booked_between(account: Account, begin: datetime, end: datetime) -> QuerySet[Entry]:
    """The entries that lead from `balance_at` the one moment to `balance_at` the other, in their order.

    Where the row keeps the balance they are cut by the numbers of the postings: one that waited for the account over
    midnight has a time before it and stands behind what was booked after it, and belongs to the period of its number.
    """
    entries = Entry.objects.filter(account=account).order_by("posting_id")
    if account.balance is None:
        return entries.filter(booked_at__gte=begin, booked_at__lt=end)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT accounts_posting_before(%s, %s), accounts_posting_before(%s, %s)",
            [account.pk, begin, account.pk, end],
        )
        first, last = cursor.fetchone()
    return entries.filter(posting_id__gt=first, posting_id__lte=last)


def statement(account: Account, *, since: datetime | None = None, until: datetime | None = None) -> QuerySet[Entry]:
    """The entries of an account, the latest first."""
    entries = Entry.objects.filter(account=account)
    if since is not None:
        entries = entries.filter(booked_at__gte=since)
    if until is not None:
        entries = entries.filter(booked_at__lt=until)
    return entries.order_by("-posting_id")


def accounts_of_postings(postings: list[int], among: list[int]) -> list[tuple[int, int]]:
    """(posting, account) for those of `among` that have an entry of these postings."""
    entries = Entry.objects.filter(posting_id__in=postings, account_id__in=among)
    return list(entries.values_list("posting_id", "account_id"))


@dataclass(frozen=True, slots=True)
class ExpiredHold:
    """Held money that nobody ended in time. `number` rises in the order in which expiries were booked."""

    number: int
    pending_id: int
    account_id: int
    organisation: str
    kind: PendingKind
    amount: int
    reference: str
    made_at: datetime
    expires_at: datetime
    released_at: datetime


def expired_holds(since: int = 0, limit: int = 1000) -> list[ExpiredHold]:
    """What expired after the one with the number `since`, in the order of booking: none is ever passed over."""
    ends = PendingEnd.objects.filter(ending=Ending.EXPIRED, number__gt=since).select_related("pending")
    return [
        ExpiredHold(
            number=end.number,
            pending_id=end.pending_id,
            account_id=end.pending.account_id,
            organisation=end.pending.organisation_id,
            kind=PendingKind(end.pending.kind),
            amount=end.pending.amount,
            reference=end.pending.reference,
            made_at=end.pending.made_at,
            expires_at=end.pending.expires_at,
            released_at=end.at,
        )
        for end in ends.order_by("number")[:limit]
    ]


def pending_numbered(number: int) -> Pending:
    """What is or was held under this number; its end, if there is one, by `end`. Raises Refused(PENDING_UNKNOWN)."""
    try:
        return Pending.objects.select_related("account", "counter").get(pk=number)
    except Pending.DoesNotExist:
        raise Refused(Code.PENDING_UNKNOWN, pending=number) from None


def held_on(account: Account) -> QuerySet[Pending]:
    """What is held on an account now, the latest first."""
    return Pending.objects.filter(account=account, open__isnull=False).select_related("counter").order_by("-id")


def something_is_due() -> bool:
    """Whether something is held past its time."""
    return PendingOpen.objects.filter(expires_at__lte=timezone.now()).exists()
