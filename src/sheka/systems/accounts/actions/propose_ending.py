"""Asking that a personal account ends: its holder moves, it is closed and paid out, its holder has died (S6).

Nothing is booked here. What is asked for is frozen and decided by a second person; `ending.py` carries it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from sheka.foundation.money import plain_yuan
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.documents.kinds import kinds
from sheka.office.documents.queries import documents_of
from sheka.office.organisations.models import Kind as PlaceKind
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.correct_posting import said
from sheka.systems.accounts.models import Account, Kind
from sheka.systems.accounts.payees import Payee, heirs, payee, shares
from sheka.systems.accounts.policy import ACCOUNTS, in_force
from sheka.systems.accounts.queries import account_numbered
from sheka.systems.accounts.states import ACCOUNT

MOVE, CLOSE, INHERIT = "accounts.move", "accounts.close", "accounts.inherit"


@action(Permission.ACCOUNT_MOVE)
def propose_move(actor: Actor, *, number: str, to: str, reason: str, document: str) -> Proposal:
    """The holder moves to another city of this node: the balance goes to an account there, over transit accounts.

    Raises Refused: MOVE_TARGET, ACCOUNT_UNKNOWN, ACCOUNT_NOT_PERSONAL, STATE_FORBIDS, ACCOUNT_HELD, ACCOUNT_REASON,
    ORGANISATION_OUT_OF_REACH.
    """
    account = endable(actor, number)
    place = Organisation.objects.filter(code=to, kind=PlaceKind.CITY).first()
    if place is None or place.code == account.organisation_id:
        raise Refused(Code.MOVE_TARGET, place=to)
    place.must_be_in_force(timezone.localdate())
    return _propose(actor, MOVE, account, reason, document, to=place.code)


@action(Permission.ACCOUNT_MOVE)
def propose_move_outside(
    actor: Actor, *, number: str, area: str, name: str, bank: str, bank_account: str, reason: str, document: str
) -> Proposal:
    """The holder moves to an area outside: the balance is paid to the bank account of the agency there.

    Raises Refused: PAYEE_INVALID, and what `propose_move` refuses about the account.
    """
    account = endable(actor, number)
    found = payee(name, bank, bank_account)
    return _propose(actor, MOVE, account, reason, document, area=said(area), payee=found)


@action(Permission.ACCOUNT_MOVE)
def propose_closing(
    actor: Actor, *, number: str, name: str, bank: str, bank_account: str, reason: str, document: str
) -> Proposal:
    """The account is closed and its balance paid to a bank account of the holder. An empty one needs no approval
    (`close_account`). Raises Refused: PAYEE_INVALID, and what `propose_move` refuses about the account.
    """
    account = endable(actor, number)
    return _propose(actor, CLOSE, account, reason, document, payee=payee(name, bank, bank_account))


@action(Permission.ACCOUNT_INHERIT)
def propose_inheritance(
    actor: Actor, *, number: str, rule: str, shares_of: Sequence[dict[str, Any]], reason: str, document: str
) -> Proposal:
    """The holder has died: the balance is divided among the heirs, to accounts here or to bank accounts.

    What the policy asks for must lie with the account's documents. Raises Refused: INHERITANCE_DOCUMENT,
    INHERITANCE_HEIRS, PAYEE_INVALID, ACCOUNT_UNKNOWN (of an heir), and what `propose_move` refuses about the account.
    """
    account = endable(actor, number)
    rules = in_force(ACCOUNTS, "inheritance", timezone.localdate())
    kept = {row.kind: row for row in documents_of(actor, f"account:{number}") if row.state == "kept"}
    if lacking := [name for name in rules["documents"] if name not in kept]:
        titles = [kinds()[name] for name in lacking]
        missing = Term("、".join(one.zh for one in titles), ", ".join(one.en for one in titles))
        raise Refused(Code.INHERITANCE_DOCUMENT, missing=missing)
    found = heirs(shares_of, rule, rules["shares"])
    for one in found:
        if "account" in one:
            must_receive(account, one)
    for one, part in zip(found, shares(account.balance or 0, found), strict=True):
        one["asked"] = part
    papers = [{"kind": name, "digest": kept[name].digest} for name in rules["documents"]]
    return _propose(actor, INHERIT, account, reason, document, rule=rule, heirs=found, papers=papers)


def endable(actor: Actor, number: str) -> Account:
    """A personal account of the actor's organisation that may end now.

    Raises Refused: ACCOUNT_UNKNOWN, ORGANISATION_OUT_OF_REACH, ACCOUNT_NOT_PERSONAL, STATE_FORBIDS, ACCOUNT_HELD.
    """
    account = account_numbered(number)
    actor.must_act_for(account.organisation_id)
    if account.kind != Kind.PERSONAL:
        raise Refused(Code.ACCOUNT_NOT_PERSONAL, account=number)
    ACCOUNT.after(account.state, "close")
    if account.held:
        raise Refused(Code.ACCOUNT_HELD, account=number, held=plain_yuan(account.held))
    return account


def must_receive(account: Account, heir: Payee) -> Account:
    """The heir's own account in the same books. Raises Refused: ACCOUNT_UNKNOWN, INHERITANCE_HEIRS."""
    found = account_numbered(heir["account"])
    if found.pk == account.pk or found.kind != Kind.PERSONAL or found.organisation_id != account.organisation_id:
        raise Refused(
            Code.INHERITANCE_HEIRS,
            reason=Term(f"账户“{found.number}”不能收款", f"the account {found.number} cannot receive it"),
        )
    return found


def _propose(actor: Actor, kind: str, account: Account, reason: str, document: str, **more: Any) -> Proposal:
    payload = {
        "account": account.number,
        "balance": account.balance,
        "reason": said(reason),
        "document": said(document),
        **more,
    }
    made = propose(actor, kind=kind, subject=f"account:{account.number}", payload=payload)
    record(actor, "account.ending_asked", f"account:{account.number}", kind=kind, proposal=made.number)
    return made
