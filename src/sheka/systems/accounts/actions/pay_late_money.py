"""Paying out what came to an account after its end (S6): to whom its balance went before, or to a named bank account.

A second person decides, as about the balance itself; the payees of the end are taken over as they were approved.
"""

from __future__ import annotations

from typing import Any

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.correct_posting import said
from sheka.systems.accounts.actions.keep_late_money import locked_late_money
from sheka.systems.accounts.models import LateMoney, Succession
from sheka.systems.accounts.payees import Payee, payee

LATE = "accounts.late"


@action(Permission.ACCOUNT_MOVE)
def propose_late_payment(
    actor: Actor, *, late: int, reason: str, document: str, name: str = "", bank: str = "", bank_account: str = ""
) -> Proposal:
    """Ask that waiting money is paid: to the payees of the account's end, or to the bank account that is named.

    Raises Refused: LATE_MONEY_UNKNOWN, ORGANISATION_OUT_OF_REACH, ACCOUNT_REASON, PAYEE_INVALID.
    """
    row = locked_late_money(actor, late)
    if row.state != "waiting":
        raise Refused(Code.LATE_MONEY_UNKNOWN)
    payees = payees_of_end(row) if not (name or bank or bank_account) else []
    if not payees:
        payees = [{**payee(name, bank, bank_account), "relation": "", "parts": 1}]
    payload = {
        "account": row.account.number,
        "late": row.pk,
        "amount": row.amount,
        "cause": row.cause,
        "payees": payees,
        "reason": said(reason),
        "document": said(document),
    }
    subject = f"account:{row.account.number}"
    made = propose(actor, kind=LATE, subject=subject, payload=payload)
    record(actor, "account.late_money_asked", subject, amount=row.amount, proposal=made.number)
    return made


def payees_of_end(row: LateMoney) -> list[Payee]:
    """To whom the balance went when the account ended, with their parts; nobody where it was closed empty."""
    end = Succession.objects.filter(account=row.account).first()
    if end is None:
        return []
    request = Proposal.objects.filter(number=end.proposal).first()
    if request is None:
        return []
    payload: dict[str, Any] = request.payload
    if "heirs" in payload:
        return list(payload["heirs"])
    return [{**payload["payee"], "relation": "", "parts": 1}] if "payee" in payload else []
