"""Freeze and release an account or an amount on it, close an empty account (S6)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.correct_posting import said
from sheka.systems.accounts.booking import number_from
from sheka.systems.accounts.ending import still_due
from sheka.systems.accounts.models import Account, EntryKind, Freeze, Kind, Verb
from sheka.systems.accounts.posting import Item, must_be_done, post
from sheka.systems.accounts.states import ACCOUNT


@action(Permission.ACCOUNT_FREEZE)
def freeze_account(actor: Actor, *, number: str, reason: str, document: str = "") -> Account:
    """Nothing is debited or credited until it is released; a reversal still brings money back.

    A personal account: of the others, whose balance is the sum of their entries, the switch does not ask the state. A
    person names the document that orders it. Raises Refused: ACCOUNT_UNKNOWN, ACCOUNT_NOT_PERSONAL, ACCOUNT_REASON,
    STATE_FORBIDS, ORGANISATION_OUT_OF_REACH.
    """
    document = _ordered_by(actor, document)
    account = _change(actor, number, "freeze", said(reason), document)
    _frozen(actor, account, None, None, reason, document)
    return account


@action(Permission.ACCOUNT_FREEZE)
def release_account(actor: Actor, *, number: str, reason: str, document: str = "") -> Account:
    """What was frozen as a whole is open again; amounts that are frozen stay so. Raises as `freeze_account`."""
    document = _ordered_by(actor, document)
    account = _change(actor, number, "release", said(reason), document)
    for row in Freeze.objects.select_for_update().filter(account=account, amount=None, released_at=None):
        _released(actor, row, reason, document)
    return account


@action(Permission.ACCOUNT_FREEZE)
def freeze_amount(actor: Actor, *, number: str, amount: int, reason: str, document: str) -> Freeze:
    """Hold `amount` fen of what is available. The same document, account and amount again is answered as before.

    Raises Refused: ACCOUNT_UNKNOWN, ACCOUNT_REASON, ACCOUNT_NOT_PERSONAL, and what the ledger refuses (not enough).
    """
    account = _locked(actor, number)
    reason, document = said(reason), said(document)
    if account.kind != Kind.PERSONAL:
        raise Refused(Code.ACCOUNT_NOT_PERSONAL, account=number)
    earlier = Freeze.objects.filter(account=account, amount=amount, document=document)
    running = earlier.filter(released_at=None).first()
    if running is not None:
        record(actor, "account.freeze_found", f"account:{number}", document=document)
        return running
    item = Item(
        client_id=number_from("freeze", account.pk, document, amount, earlier.count()),
        kind=EntryKind.TRANSFER,
        debit=account,
        credit=None,
        amount=amount,
        reference=document,
        pending=True,
    )
    posted = post(actor, [item])
    must_be_done([item], posted)
    row = _frozen(actor, account, amount, posted[0].posting, reason, document)
    record(actor, "account.amount_frozen", f"account:{number}", amount=amount, reason=reason, document=document)
    return row


@action(Permission.ACCOUNT_FREEZE)
def release_amount(actor: Actor, *, freeze: int, reason: str, document: str) -> Freeze:
    """A frozen amount can be spent again. Raises Refused: FREEZE_UNKNOWN, ACCOUNT_REASON, ORGANISATION_OUT_OF_REACH."""
    reason, document = said(reason), said(document)
    row = Freeze.objects.select_for_update(of=("self",)).select_related("account").filter(pk=freeze).first()
    if row is None or row.pending is None or row.released_at is not None:
        raise Refused(Code.FREEZE_UNKNOWN, freeze=freeze)
    actor.must_act_for(row.organisation_id)
    item = Item(
        client_id=number_from("release", row.pending),
        kind=EntryKind.TRANSFER,
        debit=None,
        credit=None,
        amount=0,
        reference=document,
        of=row.pending,
        verb=Verb.VOID,
    )
    must_be_done([item], post(actor, [item]))
    _released(actor, row, reason, document)
    record(
        actor,
        "account.amount_released",
        f"account:{row.account.number}",
        amount=row.amount,
        reason=reason,
        document=document,
    )
    return row


@action(Permission.ACCOUNT_OPEN)
def close_account(actor: Actor, *, number: str, reason: str) -> Account:
    """Close an empty personal account. Raises Refused: ACCOUNT_NOT_EMPTY when money is left on it or interest is due
    (`propose_closing` pays both out), ACCOUNT_NOT_PERSONAL (of the others the row does not say what is left),
    ACCOUNT_POLICY, and as `freeze_account`.
    """
    return _change(actor, number, "close", reason, "")


def _change(actor: Actor, number: str, verb: str, reason: str, document: str) -> Account:
    account = _locked(actor, number)
    if account.kind not in (Kind.PERSONAL, Kind.FORMER) and verb != "release":
        raise Refused(Code.ACCOUNT_NOT_PERSONAL, account=number)
    account.state = ACCOUNT.after(account.state, verb)
    if account.state == "closed":
        if account.balance or account.held or still_due(account):
            raise Refused(Code.ACCOUNT_NOT_EMPTY, account=number)
        account.closed_at = timezone.now()
    account.save(update_fields=["state", "closed_at"])
    record(actor, f"account.{verb}", f"account:{number}", reason=reason, document=document)
    return account


def _locked(actor: Actor, number: str) -> Account:
    account = Account.objects.select_for_update().filter(number=number).first()
    if account is None:
        raise Refused(Code.ACCOUNT_UNKNOWN, account=number)
    actor.must_act_for(account.organisation_id)
    return account


def _ordered_by(actor: Actor, document: str) -> str:
    """A person names a document; a process of the node says in its reason why."""
    return said(document) if actor.is_person or document else ""


def _frozen(
    actor: Actor, account: Account, amount: int | None, pending: int | None, reason: str, document: str
) -> Freeze:
    return Freeze.objects.create(
        organisation_id=account.organisation_id,
        account=account,
        amount=amount,
        pending=pending,
        reason=reason.strip(),
        document=document,
        by=actor.name,
        at=timezone.now(),
    )


def _released(actor: Actor, row: Freeze, reason: str, document: str) -> None:
    row.released_by, row.released_at = actor.name, timezone.now()
    row.release_reason, row.release_document = reason.strip(), document
    row.save()
