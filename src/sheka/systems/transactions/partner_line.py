"""The REST face at the switch (S4): a partner's request spoken as its terminal, over a line, with the MAC of its key.

Limits, journal, block list, seals and windows hold because the switch does all of it. An answer that does not come
leaves the outcome unknown; the same request asked again goes out as a repeat, which books nothing twice.
"""

from __future__ import annotations

from calendar import isleap
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.acquiring_models import PartnerRequest
from sheka.systems.transactions.actions.partner_requests import (
    ZONE,
    Said,
    Wanted,
    keep_request,
    note_answer,
    note_sending,
    note_unsent,
    prepare_inquiry,
)
from sheka.systems.transactions.line_client import inside_line
from sheka.systems.transactions.line_policy import line_policy
from sheka.systems.transactions.models import Terminal as Row
from sheka.systems.transactions.models import Transaction, TransactionKind
from sheka.systems.transactions.terminal import Answer, Terminal
from sheka.systems.transactions.terminal_messages import Asked, Purchase

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 10.0
"""Seconds that the REST face waits for an answer of the switch."""
NOT_TAKEN = frozenset(
    code.value
    for code in (
        Code.SWITCH_BUSY,
        Code.BLOCK_LIST_NOT_KNOWN,
        Code.MACHINE_OUT_OF_PRODUCTION,
        Code.MESSAGE_MAC_INVALID,
        Code.LINE_NOT_SIGNED_ON,
        Code.PROOF_NOT_KNOWN,
    )
)
"""Answers that say that nothing was done and nothing is kept: the same request may be asked again."""


_VERBS = {
    "purchase": (Asked.PURCHASE, TransactionKind.PURCHASE),
    "pre_authorisation": (Asked.PRE_AUTHORISATION, TransactionKind.PRE_AUTHORISATION),
    "completion": (Asked.COMPLETION, TransactionKind.COMPLETION),
    "void": (Asked.VOID, TransactionKind.VOID),
    "refund": (Asked.REFUND, TransactionKind.REFUND),
}


@dataclass(frozen=True, slots=True)
class Balance:
    """What an inquiry found, in fen."""

    terminal: str
    stan: int
    balance: int


def submit(actor: Actor, *, key: str, digest: str, wanted: Wanted) -> tuple[PartnerRequest, bool]:
    """The request with its outcome, and whether it was known before.

    Raises Refused: what `keep_request` raises, SWITCH_UNREACHABLE, SWITCH_OUTCOME_UNKNOWN, and whatever the switch
    refuses it for.
    """
    row = keep_request(actor, key=key, digest=digest, wanted=wanted)
    known = row.state in ("approved", "refused")
    if not known:
        row = _drive(actor, row)
    if row.state == "refused":
        raise refusal_of(row)
    return row, known


def settle(actor: Actor, row: PartnerRequest) -> PartnerRequest:
    """What is known of a request now: when its answer was lost, what the switch has written of it."""
    if row.state != "sent":
        return row
    found = _written(row)
    if found is None:
        return row
    state = "approved" if found.approved else "refused"
    day = f"{found.window.settlement_date:%m%d}"
    said = Said(state, found.refusal, reference=found.rrn, balance=found.balance_after, settlement_day=day)
    return note_answer(actor, request=row.pk, said=said)


def settlement_date(row: PartnerRequest) -> date | None:
    """The day of settlement that the switch named (field 15), in the year that brings it nearest; None: not known."""
    if not row.settlement_day:
        return None
    day = row.business_date
    month, number = int(row.settlement_day[:2]), int(row.settlement_day[2:])
    years = (day.year - 1, day.year, day.year + 1)
    found = [date(year, month, number) for year in years if (month, number) != (2, 29) or isleap(year)]
    return min(found, key=lambda one: abs(one - day))


def inquire(actor: Actor, *, terminal: str, card_number: str, scheme: str) -> Balance:
    """The balance of a card's account, asked at the switch. Raises Refused as `submit`."""
    found, stan = prepare_inquiry(actor, terminal=terminal)
    with line_of(found, stan) as line:
        answer = line.balance(card_number, scheme=scheme)
    if not answer.approved or answer.balance is None:
        raise refused_with(answer.refusal, terminal=terminal)
    return Balance(terminal, stan, answer.balance)


def refusal_of(row: PartnerRequest) -> Refused:
    """The refusal of a refused request, with what its sentence names."""
    return refused_with(row.refusal, terminal=row.terminal.number, date=f"{row.business_date:%m%d}", key=row.key)


@contextmanager
def line_of(terminal: Row, stan: int, country: str = "156") -> Iterator[Terminal]:
    """A line to the node's switch as this terminal; MACs by the encryption machine of its office."""
    institution = terminal.institution
    machine, key = machine_of(institution.organisation_id), institution.mac_key
    host, port = address()
    with Terminal(
        host,
        port,
        terminal.number,
        institution.code,
        lambda message: machine.macs(key, None, [message])[0],
        country=country,
        timeout=TIMEOUT,
        first_stan=stan,
        connect=inside_line(settings.NODE.inside_line, TIMEOUT),
    ) as line:
        if line_policy(settings.NODE.demo).sign_on:
            line.sign_on()
            line.next_is(stan)
        yield line


def address() -> tuple[str, int]:
    """Where the node's switch listens."""
    listener = settings.NODE.switch
    host = "127.0.0.1" if listener.host in ("0.0.0.0", "::") else listener.host  # noqa: S104 - the wildcard, reached here
    return host, listener.port


def _drive(actor: Actor, row: PartnerRequest) -> PartnerRequest:
    row = note_sending(actor, request=row.pk)
    if row.state != "sent":
        return row  # another request with the same key has the answer
    try:
        with line_of(row.terminal, row.stan, row.country) as line:
            answer = _speak(line, row, repeat=row.tries > 1)
    except Refused as refusal:
        if refusal.code is Code.SWITCH_UNREACHABLE:
            note_unsent(actor, request=row.pk, tries=row.tries)
            raise
        raise Refused(Code.SWITCH_OUTCOME_UNKNOWN) from None
    if answer.refusal == Code.SWITCH_OUTCOME_UNKNOWN.value:
        raise Refused(Code.SWITCH_OUTCOME_UNKNOWN)
    if answer.refusal in NOT_TAKEN:
        note_unsent(actor, request=row.pk, tries=row.tries)
        raise refused_with(answer.refusal, terminal=row.terminal.number)
    return note_answer(actor, request=row.pk, said=_said(answer, row))


def _speak(line: Terminal, row: PartnerRequest, *, repeat: bool) -> Answer:
    if row.verb == "reversal" and row.original is not None:
        return line.reversal(message_of(row.original), repeat=repeat)
    return line.send_purchase(message_of(row), repeat=repeat)


def message_of(row: PartnerRequest) -> Purchase:
    """As it was first sent, to the byte."""
    original = row.original
    asked = _VERBS[row.verb][0]
    if row.verb == "void" and original is not None and original.verb == "pre_authorisation":
        asked = Asked.VOID_OF_PRE_AUTHORISATION
    return Purchase(
        row.stan,
        row.card_number,
        row.amount or 0,
        row.at.astimezone(ZONE),
        row.currency,
        row.scheme,
        asked=asked,
        original=message_of(original) if original is not None else None,
        terminal=row.terminal.number,
    )


def _said(answer: Answer, row: PartnerRequest) -> Said:
    written = _written(row)
    return Said(
        "approved" if answer.approved else "refused",
        0 if answer.approved else answer.refusal,
        answer.response_code,
        answer.authorisation or "",
        written.rrn if written else "",
        answer.balance,
        answer.settlement_day or "",
    )


def _written(row: PartnerRequest) -> Transaction | None:
    """The row that the switch wrote of it; a reversal has the key of what it takes back."""
    keyed = row.original if row.verb == "reversal" and row.original else row
    return (
        Transaction.objects.select_related("window")
        .filter(
            business_date=keyed.business_date,
            terminal_id=keyed.terminal_id,
            stan=keyed.stan,
            kind=TransactionKind.REVERSAL if row.verb == "reversal" else _VERBS[row.verb][1],
            institution_id=keyed.terminal.institution_id,
        )
        .first()
    )


def refused_with(number: int, **facts: object) -> Refused:
    """A refusal number of the switch as a refusal of ours."""
    known = {code.value: code for code in Code}
    return Refused(known.get(number, Code.SWITCH_OUTCOME_UNKNOWN), **facts)
