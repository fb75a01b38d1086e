"""What of accounts documents and papers are kept with: an account, a payment out, a statement of a period (S6)."""

from __future__ import annotations

from datetime import date

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.documents.subjects import subject
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.queries_of_pages import account_reached, payout_named

RIGHTS = (Permission.ACCOUNT_VIEW,)


@subject("account", Term("账户", "Account"), page=lambda name: ("console:accounts_one", (name,)), rights=RIGHTS)
def account(actor: Actor, name: str) -> None:
    """Whoever may see the account. Raises Refused(ACCOUNT_UNKNOWN)."""
    account_reached(actor, name)


@subject("payout", Term("支付单", "Payment out"), page=lambda name: ("console:accounts_payout", (name,)), rights=RIGHTS)
def payout(actor: Actor, name: str) -> None:
    """Whoever may see its account. Raises Refused(PAYOUT_UNKNOWN)."""
    payout_named(actor, name)


@subject("statement", Term("对账单", "Statement"), rights=RIGHTS)
def statement(actor: Actor, name: str) -> None:
    """`<account>.<first day>.<last day>`: whoever may see the account. Raises Refused(ACCOUNT_UNKNOWN)."""
    account_reached(actor, name.partition(".")[0])


def statement_subject(number: str, since: date, until: date) -> str:
    """What the statement of a period is called."""
    return f"statement:{number}.{since:%Y%m%d}.{until:%Y%m%d}"


def statement_period(name: str) -> tuple[str, date, date]:
    """The account and the period in the name of a statement. Raises Refused(STATEMENT_PERIOD)."""
    number, _, days = name.partition(".")
    first, _, last = days.partition(".")
    try:
        return number, date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        raise Refused(Code.STATEMENT_PERIOD, since=first or "-", until=last or "-", most="-") from None
