"""Money that comes to an account after its end (S6, S10): a late reversal always gives back what was paid.

The ledger takes it on the closed account, since money that went the wrong way goes back whatever the account's state.
From there it goes at once to the suspense account of the same books, where it waits in the queue of the officers; or
on to the account that the holder has in another city by now (docs/adr/0036).
"""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from sheka.foundation.money import format_yuan
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work, open_work
from sheka.systems.accounts.actions.open_account import open_party_account
from sheka.systems.accounts.booking import book_all, number_from
from sheka.systems.accounts.models import Account, Entry, EntryKind, Kind, LateMoney, Succession
from sheka.systems.accounts.moving import send_away
from sheka.systems.accounts.posting import Item
from sheka.systems.accounts.queries import account_of
from sheka.systems.accounts.states import ACCOUNT, LATE_MONEY

WORK = "account.late_money"
PARTY = "LATE"
"""The party of the suspense account on which such money waits."""
AT_ONCE = 200


def look_for_late_money() -> int:
    """What the worker does every few minutes: closed accounts with money, and waiting money that has a home by now.

    The number of accounts and amounts dealt with. What cannot be dealt with holds up no other; the first reason is
    raised at the end, so that the turn is marked as failed.
    """
    with whole_node("closed accounts of every organisation are looked at, each in an action of its own books"):
        found = Account.objects.filter(state="closed", balance__gt=F("held")).order_by("pk")
        closed = list(found.values_list("number", "organisation_id")[:AT_ONCE])
        own = Account.objects.filter(kind=Kind.PERSONAL, state="open").values("person_id", "scheme", "organisation_id")
        waiting = [
            (row.pk, row.organisation_id)
            for row in LateMoney.objects.filter(state="waiting").select_related("account").order_by("pk")[:AT_ONCE]
            if own.filter(
                person_id=row.account.person_id, scheme=row.account.scheme, organisation_id=row.organisation_id
            ).exists()
        ]
    failed: list[Refused] = []
    for number, place in closed:
        try:
            keep_late_money(Actor.process("accounts", place), number=number)
        except Refused as refusal:
            failed.append(refusal)
    for late, place in waiting:
        try:
            pass_on_late_money(Actor.process("accounts", place), late=late)
        except Refused as refusal:
            failed.append(refusal)
    if failed:
        raise failed[0]
    return len(closed) + len(waiting)


@action(Permission.ACCOUNT_MOVE)
def keep_late_money(actor: Actor, *, number: str) -> LateMoney | None:
    """Take the money off a closed account: to suspense, and on to the city that the holder moved to. None: it is gone.

    Raises Refused: ACCOUNT_UNKNOWN, and what the ledger refuses.
    """
    account = Account.objects.select_for_update().filter(number=number).first()
    if account is None:
        raise Refused(Code.ACCOUNT_UNKNOWN, account=number)
    actor.must_act_for(account.organisation_id)
    amount = (account.balance or 0) - account.held
    if account.state != "closed" or amount <= 0:
        record(actor, "account.late_money_gone", f"account:{number}")
        return None
    cause = Entry.objects.filter(account=account).order_by("-posting_id").first()
    assert cause is not None
    _set(account, "reopen")
    key = number_from("late", number, cause.posting_id)
    item = Item(key, EntryKind.TRANSFER, account, suspense_of(actor), amount, f"{cause.posting_id}")
    posting = book_all(actor, [item])[0].posting
    _set(account, "close")
    late = wait_for(actor, account, amount, posting, cause=cause.posting_id)
    record(actor, "account.late_money", f"account:{number}", amount=amount, cause=cause.posting_id)
    end = Succession.objects.filter(account=account).first()
    if end is not None and "city" in end.to:
        _send_after(actor, late, end)
    return late


@action(Permission.ACCOUNT_MOVE)
def pass_on_late_money(actor: Actor, *, late: int) -> LateMoney:
    """Book waiting money to the open account that its holder has in the same books.

    Raises Refused: LATE_MONEY_UNKNOWN, and what the ledger refuses.
    """
    row = locked_late_money(actor, late)
    home = account_of(row.account.person_id or 0, row.account.scheme)
    if home is None or home.state != "open" or row.state != "waiting":
        raise Refused(Code.LATE_MONEY_UNKNOWN)
    key = number_from("late-home", row.posting)
    book_all(actor, [Item(key, EntryKind.TRANSFER, suspense_of(actor), home, row.amount, f"{row.cause}")])
    over(actor, row, "pass_on")
    record(actor, "account.late_money_moved", f"account:{row.account.number}", amount=row.amount, to=home.number)
    return row


def suspense_of(actor: Actor) -> Account:
    """Where late money of the actor's books waits."""
    return open_party_account(actor, kind=Kind.SUSPENSE, party=PARTY)


def wait_for(actor: Actor, account: Account, amount: int, posting: int, *, cause: int) -> LateMoney:
    """Money on the suspense account waits for somebody; its work stands in the queue of the account officers. The
    caller is the action that put it there.
    """
    made = LateMoney.objects.create(
        organisation_id=actor.organisation,
        account=account,
        amount=amount,
        posting=posting,
        cause=cause,
        at=timezone.now(),
    )
    open_work(
        actor,
        kind=WORK,
        subject=f"late_money:{made.pk}",
        organisation=actor.organisation,
        permission=Permission.ACCOUNT_MOVE,
        title_zh=f"销户后到账 {format_yuan(amount, 'zh-Hans')}，原账户 {account.number}",
        title_en=f"{format_yuan(amount, 'en')} came to the closed account {account.number}",
    )
    return made


def locked_late_money(actor: Actor, late: int) -> LateMoney:
    """Money that waits in the actor's books, locked. Raises Refused: LATE_MONEY_UNKNOWN, ORGANISATION_OUT_OF_REACH."""
    found = LateMoney.objects.select_for_update(of=("self",)).select_related("account").filter(pk=late).first()
    if found is None:
        raise Refused(Code.LATE_MONEY_UNKNOWN)
    actor.must_act_for(found.organisation_id)
    return found


def over(actor: Actor, row: LateMoney, verb: str) -> None:
    """The money is gone from suspense, nothing waits any more. The caller is the action that booked it."""
    row.state, row.ended_at = LATE_MONEY.after(row.state, verb), timezone.now()
    row.save(update_fields=["state", "ended_at", "proposal"])
    close_work(actor, WORK, f"late_money:{row.pk}")


def _send_after(actor: Actor, late: LateMoney, end: Succession) -> None:
    """What comes late follows the account to the city that it moved to."""
    send_away(
        actor,
        late.account,
        to=end.to["city"],
        amount=late.amount,
        source=suspense_of(actor),
        reference=number_from("late-moving", late.posting),
        document=end.document,
        proposal=end.proposal,
    )
    over(actor, late, "pass_on")
    record(
        actor,
        "account.late_money_moved",
        f"account:{late.account.number}",
        amount=late.amount,
        to=end.to["city"],
    )


def _set(account: Account, verb: str) -> None:
    account.state = ACCOUNT.after(account.state, verb)
    account.save(update_fields=["state"])
