"""Take the fee of an exchange (R5)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.money import Fen, format_yuan
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.ledger import lock_card, must_give_reason, tell
from sheka.systems.cards.models import ExchangeCase
from sheka.systems.cards.queries.exchanges import exchange_named, lock_exchange
from sheka.systems.cards.states import EXCHANGE


@action(Permission.EXCHANGE_PAY)
def pay_exchange(actor: Actor, *, number: str, paid_fen: Fen, receipt: str) -> ExchangeCase:
    """Record that exactly the fee was paid, with the number of the receipt.

    Raises Refused: EXCHANGE_UNKNOWN, EXCHANGE_FEE_SETTLED, EXCHANGE_FEE_AMOUNT, CARD_REASON, STATE_FORBIDS.
    """
    lock_card(actor, exchange_named(actor, number).old_card)
    case = lock_exchange(actor, number)
    EXCHANGE.after(case.state, "pay")
    if case.fee_fen == 0 or case.fee_paid_at is not None:
        raise Refused(Code.EXCHANGE_FEE_SETTLED)
    if paid_fen != case.fee_fen:
        raise Refused(Code.EXCHANGE_FEE_AMOUNT, expected=yuan(case.fee_fen), got=yuan(paid_fen))
    case.fee_receipt, case.fee_paid_at = must_give_reason("pay", receipt)[:40], timezone.now()
    case.save(update_fields=["fee_receipt", "fee_paid_at"])
    tell(actor, [case.old_card], "exchange_paid", exchange=case.number, fen=paid_fen, receipt=case.fee_receipt)
    record(actor, "exchange.paid", case.subject, fen=paid_fen, receipt=case.fee_receipt)
    return case


def yuan(fen: Fen) -> Term:
    """An amount in both languages."""
    return Term(format_yuan(fen, "zh"), format_yuan(fen, "en"))
