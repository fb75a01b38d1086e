"""What the messages about a moving account do, each once (S6): the new city takes it, the old pays, the new settles."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.keep_late_money import suspense_of, wait_for
from sheka.systems.accounts.actions.open_account import personal_account
from sheka.systems.accounts.models import Account, Kind, Moving, Payout
from sheka.systems.accounts.moving import PAID, locked_moving, settle, take_in
from sheka.systems.accounts.payees import Payee
from sheka.systems.accounts.queries import account_of
from sheka.systems.cards.actions.take_over_person import take_over_person


@action(Permission.ACCOUNT_MOVE)
def take_moving(actor: Actor, *, sender: str, told: dict[str, Any]) -> Moving:
    """The person is registered here, an account opened where there is none, the money booked, and the sender answered.

    Money for an account that cannot be paid into (closed or frozen here meanwhile) waits on the suspense account.
    Raises Refused: PERSON_ELSEWHERE, ORGANISATION_OUT_OF_REACH, ACCOUNT_POLICY, and what the ledger refuses.
    """
    reference = UUID(told["reference"])
    known = Moving.objects.filter(reference=reference, side=Moving.IN).first()
    if known is not None:
        record(actor, "account.moving_again", f"account:{known.account.number}", reference=str(reference))
        return known
    take_over_person(actor, person_id=told["person"], came_from=sender, document=told["document"])
    account = account_of(told["person"], told["scheme"])
    if account is None:
        left = Account.objects.filter(kind=Kind.FORMER, person_id=told["person"], scheme=told["scheme"])
        former = left.filter(organisation_id=actor.organisation).count()
        account = personal_account(told["person"], actor.organisation, told["scheme"], former)
        account.save()
    receives = account.state == "open" or not told["amount"]
    into = account if receives else suspense_of(actor)
    row, posting = take_in(actor, account, into=into, sender=sender, reference=reference, told=told)
    if posting is not None and not receives:
        wait_for(actor, account, row.amount, posting, cause=posting)
    record(actor, "account.moved_in", f"account:{account.number}", amount=row.amount, came_from=sender)
    return row


@action(Permission.ACCOUNT_MOVE)
def pay_moving(actor: Actor, *, sender: str, reference: UUID, account: str, payee: Payee) -> Moving:
    """The other city has the account: the bank is ordered to pay it, and the transit account is at zero again.

    Raises Refused: MOVING_UNKNOWN, and what the ledger refuses.
    """
    row = locked_moving(reference, Moving.OUT, sender)
    subject = f"account:{row.account.number}"
    if row.state == "settled":
        record(actor, "account.moving_again", subject, reference=str(reference))
        return row
    row.other_account = account
    posting = settle(actor, row)
    number = ""
    if posting is not None:
        number = f"Z{actor.organisation}{timezone.localdate():%Y%m%d}{posting:09d}"
        Payout.objects.create(
            number=number,
            organisation_id=actor.organisation,
            account=row.account,
            reason="moving",
            amount=row.amount,
            payee=payee["name"],
            bank=payee["bank"],
            bank_account=payee["bank_account"],
            document=row.document,
            posting=posting,
            proposal=row.proposal or row.reference,
            by=actor.name,
            at=timezone.now(),
        )
    send(actor.organisation, sender, PAID, {"reference": str(reference), "payout": number})
    record(actor, "account.moving_paid", subject, amount=row.amount, payout=number, to=account)
    return row


@action(Permission.ACCOUNT_MOVE)
def settle_moving(actor: Actor, *, sender: str, reference: UUID, payout: str) -> Moving:
    """The other city's payment is ordered: the bank owes it, and the transit account is at zero again.

    Raises Refused: MOVING_UNKNOWN, and what the ledger refuses.
    """
    row = locked_moving(reference, Moving.IN, sender)
    subject = f"account:{row.account.number}"
    if row.state == "settled":
        record(actor, "account.moving_again", subject, reference=str(reference))
        return row
    settle(actor, row)
    record(actor, "account.moving_settled", subject, amount=row.amount, payout=payout)
    return row
