"""The papers of accounts (S6): a statement of a period, an order of payment out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from sheka.foundation.money import capital_yuan, format_yuan
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.documents.models import Document
from sheka.office.documents.papers.making import make_paper
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.labels import ACCOUNT_KINDS, ENDINGS, KINDS
from sheka.systems.accounts.policy import ACCOUNTS, in_force
from sheka.systems.accounts.queries_of_pages import (
    Line,
    account_reached,
    lines_of,
    payout_named,
    statement_of,
)
from sheka.systems.accounts.subjects import statement_period, statement_subject


@action(Permission.ACCOUNT_VIEW)
def issue_statement(actor: Actor, *, name: str) -> Document:
    """The statement `<account>.<first day>.<last day>` as a paper; an audited read.

    Raises Refused: ACCOUNT_UNKNOWN, STATEMENT_PERIOD, STATEMENT_TOO_LONG, and what making a paper refuses.
    """
    number, since, until = statement_period(name)
    found = statement_of(account_reached(actor, number), since, until)
    most = in_force(ACCOUNTS, "statement", timezone.localdate())["most_printed"]
    if found.count > most:
        raise Refused(Code.STATEMENT_TOO_LONG, count=found.count, most=most)
    period = [since.isoformat(), until.isoformat()]
    read_recorded(actor, "statement.read", f"account:{number}", period=period, form="pdf", lines=found.count)
    person = found.account.person
    facts = {
        "holder": person.name if person else found.account.party,
        "account": number,
        "scheme": found.account.scheme,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "opening": format_yuan(found.opening, "en"),
        "closing": format_yuan(found.closing, "en"),
        "paid_in": format_yuan(found.paid_in, "en"),
        "paid_out": format_yuan(found.paid_out, "en"),
        "lines": [_line(one) for one in lines_of(found.account, list(found.entries))],
    }
    return make_paper(
        actor,
        template="account_statement",
        subject=statement_subject(number, since, until),
        facts=facts,
        number=number,
    )


@action(Permission.ACCOUNT_VIEW)
def issue_payout_order(actor: Actor, *, number: str) -> Document:
    """The order to the bank as a paper, with the bank account whole.

    Raises Refused: PAYOUT_UNKNOWN, and what making a paper refuses.
    """
    row = payout_named(actor, number)
    read_recorded(actor, "payout.read", row.subject)
    reason = ENDINGS[row.reason]
    facts = {
        "holder": row.account.person.name if row.account.person else "",
        "account": row.account.number,
        "reason": [reason.zh, reason.en],
        "payee": row.payee,
        "bank": row.bank,
        "bank_account": row.bank_account,
        "amount": row.amount,
        "capital": capital_yuan(row.amount),
        "document": row.document,
        "posting": str(row.posting),
        "approved_by": row.by,
        "at": _moment(row.at),
    }
    return make_paper(actor, template="payout_order", subject=row.subject, facts=facts)


def _line(line: Line) -> dict[str, Any]:
    entry, kind = line.entry, KINDS[line.entry.kind]
    other = ACCOUNT_KINDS[line.other.kind] if line.other else None
    return {
        "at": _moment(entry.booked_at),
        "posting": str(entry.posting_id),
        "kind": [kind.zh, kind.en],
        "other": [other.zh, other.en] if other else ["", ""],
        "reference": line.reference,
        "amount": format_yuan(entry.amount, "en"),
        "balance": "" if entry.balance_after is None else format_yuan(entry.balance_after, "en"),
    }


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"
