"""What pages, papers and files show of accounts (S6): lists, one account, statements of a period. Amounts are fen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from sheka.foundation.numbers import SocialSecurityNumber, mask_person_number
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.organisations.models import Kind as PlaceKind
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.search import MOST, Asked, Found, named_like
from sheka.systems.accounts.interest import ZONE
from sheka.systems.accounts.labels import ACCOUNT_STATES, STATE_TONES
from sheka.systems.accounts.models import (
    Account,
    Correction,
    DepositFile,
    DepositLine,
    Entry,
    Freeze,
    InterestRun,
    Kind,
    LateMoney,
    Moving,
    Payout,
    PendingOpen,
    Succession,
    Transfer,
)
from sheka.systems.accounts.policy import ACCOUNTS, in_force
from sheka.systems.accounts.queries import balance, balance_at, booked_between

PERSON = "person"
"""The sort of name that the card system keeps for the search."""


def accounts_listed(actor: Actor) -> QuerySet[Account]:
    """The accounts of the actor's organisation and those below it, with holder and place for a list."""
    actor.require(Permission.ACCOUNT_VIEW)
    return _reached(actor).select_related("person", "organisation")


def account_reached(actor: Actor, number: str) -> Account:
    """One of them. Raises Refused(ACCOUNT_UNKNOWN), also for one out of reach."""
    found = accounts_listed(actor).filter(number=number).first() if actor.may(Permission.ACCOUNT_VIEW) else None
    if found is None:
        raise Refused(Code.ACCOUNT_UNKNOWN, account=number)
    return found


@action(Permission.ACCOUNT_VIEW)
def account_viewed(actor: Actor, number: str) -> Account | None:
    """One account for its page; an audited read, also of one that is not there."""
    found = accounts_listed(actor).filter(number=number).first()
    read_recorded(actor, "account.viewed", f"account:{number}", found=found is not None)
    return found


def find_accounts(actor: Actor, asked: Asked) -> list[Found]:
    """For the search of the console: by the account's number, or by its holder's name, pinyin or number."""
    rows = accounts_listed(actor).filter(kind__in=(Kind.PERSONAL, Kind.FORMER))
    person = _person_number(asked.text)
    if person:
        rows = rows.filter(person__social_security_number=person)
    elif asked.is_number:
        rows = accounts_listed(actor).filter(number=asked.text.upper())
    else:
        rows = rows.filter(person_id__in=[int(key) for key in named_like(PERSON, asked)])
    return [
        Found(
            name=one.person.name if one.person else Term(one.number, one.number),
            number=one.number,
            note=mask_person_number(one.person.social_security_number) if one.person else "",
            state=ACCOUNT_STATES[one.state],
            tone=STATE_TONES[one.state],
            address=("console:accounts_one", one.number),
            exact=bool(person) or asked.is_number,
        )
        for one in rows.order_by("number")[: MOST + 1]
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as a statement shows it. `other`: the account on the other side; of a card transaction None."""

    entry: Entry
    other: Account | None
    reference: str
    corrects: int | None
    taken_back: int


def lines_of(account: Account, entries: list[Entry]) -> list[Line]:
    """Entries with what their transfers say; three queries for all of them."""
    numbers = [entry.posting_id for entry in entries]
    transfers = Transfer.objects.filter(posting_id__in=numbers).select_related("debit", "credit")
    known = {one.posting_id: one for one in transfers}
    contras = dict(Correction.objects.filter(contra__in=numbers).values_list("contra", "original"))
    taken = Correction.objects.filter(original__in=numbers).values("original").annotate(total=Sum("amount"))
    back = {one["original"]: one["total"] for one in taken}
    lines = []
    for entry in entries:
        transfer = known.get(entry.posting_id)
        other = (transfer.debit if transfer.credit_id == account.pk else transfer.credit) if transfer else None
        reference = transfer.reference if transfer else ""
        contra, total = contras.get(entry.posting_id), back.get(entry.posting_id, 0)
        lines.append(Line(entry, other, reference, contra, total))
    return lines


@dataclass(frozen=True, slots=True)
class Statement:
    """An account over a period, both days included: entries in their order, and what they lead from and to."""

    account: Account
    since: date
    until: date
    opening: int
    closing: int
    paid_in: int
    paid_out: int
    count: int
    entries: QuerySet[Entry]


def statement_of(account: Account, since: date, until: date) -> Statement:
    """Raises Refused(STATEMENT_PERIOD)."""
    most = in_force(ACCOUNTS, "statement", timezone.localdate())["most_days"]
    if not timedelta(0) <= until - since <= timedelta(days=most) or since.year < 1990:
        raise Refused(Code.STATEMENT_PERIOD, since=since.isoformat(), until=until.isoformat(), most=most)
    begin, end = start_of(since), start_of(until + timedelta(days=1))
    entries = booked_between(account, begin, end)
    sums = entries.aggregate(
        paid_in=Sum("amount", filter=Q(amount__gt=0)),
        paid_out=Sum("amount", filter=Q(amount__lt=0)),
        count=Count("amount"),
    )
    opening = balance_at(account, begin)
    paid_in, paid_out = sums["paid_in"] or 0, -(sums["paid_out"] or 0)
    return Statement(
        account, since, until, opening, opening + paid_in - paid_out, paid_in, paid_out, sums["count"], entries
    )


@action(Permission.ACCOUNT_VIEW)
def statement_read(actor: Actor, *, number: str, since: date, until: date, form: str) -> Statement:
    """A statement for a reader: `form` page, pdf or xlsx; an audited read.

    Raises Refused: ACCOUNT_UNKNOWN, STATEMENT_PERIOD.
    """
    found = statement_of(account_reached(actor, number), since, until)
    period = [since.isoformat(), until.isoformat()]
    read_recorded(actor, "statement.read", f"account:{number}", period=period, form=form, lines=found.count)
    return found


def start_of(day: date) -> datetime:
    """The first moment of a day in Shanghai."""
    return datetime.combine(day, time(), ZONE)


def balance_on(account: Account, day: date) -> int:
    """The balance at the end of a day; of today, or later: now."""
    end = start_of(day + timedelta(days=1))
    return balance(account) if end > timezone.now() else balance_at(account, end)


def held_on(account: Account) -> QuerySet[PendingOpen]:
    """What is held on the account now, the oldest first."""
    return PendingOpen.objects.filter(account=account).select_related("pending").order_by("pending_id")


def freezes_of(account: Account) -> QuerySet[Freeze]:
    """Freezes of the account and of amounts on it, the latest first."""
    return Freeze.objects.filter(account=account)


def endings_of(account: Account) -> QuerySet[Succession]:
    """How the account ended."""
    return Succession.objects.filter(account=account)


def movings_of(account: Account) -> QuerySet[Moving]:
    """The account's ways to and from other cities, the latest first."""
    return Moving.objects.filter(account=account)


def late_money_of(account: Account) -> QuerySet[LateMoney]:
    """What came to the account after its end, the latest first."""
    return LateMoney.objects.filter(account=account)


def late_money_reached(actor: Actor, late: int) -> LateMoney:
    """Money after an end, in the actor's reach. Raises Refused(LATE_MONEY_UNKNOWN)."""
    rows = LateMoney.objects.select_related("account", "account__person", "organisation")
    found = rows.filter(pk=late, organisation_id__in=_places(actor)).first()
    if found is None or not actor.may(Permission.ACCOUNT_VIEW):
        raise Refused(Code.LATE_MONEY_UNKNOWN)
    return found


def payouts_of(account: Account) -> QuerySet[Payout]:
    """Payments out of the account."""
    return Payout.objects.filter(account=account)


def payout_named(actor: Actor, number: str) -> Payout:
    """A payment out in the actor's reach. Raises Refused(PAYOUT_UNKNOWN)."""
    found = Payout.objects.select_related("account", "organisation", "account__person").filter(number=number).first()
    if found is None or not actor.reaches(found.organisation) or not actor.may(Permission.ACCOUNT_VIEW):
        raise Refused(Code.PAYOUT_UNKNOWN, payout=number)
    return found


def deposit_files(actor: Actor) -> QuerySet[DepositFile]:
    """Files of the actor's organisation and those below it."""
    actor.require(Permission.ACCOUNT_VIEW)
    return DepositFile.objects.filter(organisation_id__in=_places(actor)).defer("content").select_related("fund")


def deposit_file_named(actor: Actor, number: str) -> DepositFile:
    """One of them. Raises Refused(DEPOSIT_FILE_UNKNOWN)."""
    found = deposit_files(actor).filter(number=number).first()
    if found is None:
        raise Refused(Code.DEPOSIT_FILE_UNKNOWN, file=number)
    return found


def refused_lines(actor: Actor) -> QuerySet[DepositLine]:
    """The lines that were not booked, of the files of the actor's organisation and those below it."""
    actor.require(Permission.ACCOUNT_VIEW)
    return DepositLine.objects.filter(file__organisation_id__in=_places(actor), refusal__gt=0).select_related("file")


def interest_runs(actor: Actor) -> QuerySet[InterestRun]:
    """Runs of interest of the actor's organisation and those below it."""
    actor.require(Permission.ACCOUNT_VIEW)
    return InterestRun.objects.filter(organisation_id__in=_places(actor)).select_related("fund")


def interest_run_named(actor: Actor, number: str) -> InterestRun:
    """One of them. Raises Refused(INTEREST_UNKNOWN)."""
    found = interest_runs(actor).filter(number=number).first()
    if found is None:
        raise Refused(Code.INTEREST_UNKNOWN, run=number)
    return found


def cities_beside(code: str) -> list[Organisation]:
    """The other cities of this node: where an account can be transferred to."""
    return list(Organisation.objects.filter(kind=PlaceKind.CITY).exclude(code=code).order_by("code"))


def _reached(actor: Actor) -> QuerySet[Account]:
    return Account.objects.filter(organisation_id__in=_places(actor))


def _places(actor: Actor) -> QuerySet[Organisation]:
    return Organisation.objects.filter(path__within=actor.path).values("code")


def _person_number(text: str) -> str:
    try:
        return SocialSecurityNumber.parse(text).text
    except Refused:
        return ""
