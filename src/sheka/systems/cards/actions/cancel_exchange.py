"""Cancel an exchange that was not collected: the old card stays what it is, the new one is cancelled."""

from __future__ import annotations

from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.ledger import lock_cards, move, must_give_reason, tell
from sheka.systems.cards.models import ExchangeCase
from sheka.systems.cards.queries.exchanges import exchange_named, lock_exchange
from sheka.systems.cards.states import EXCHANGE
from sheka.systems.cards.waiting import exchange_over


@action(Permission.EXCHANGE_CANCEL)
def cancel_exchange(actor: Actor, *, number: str, reason: str) -> ExchangeCase:
    """A fee that was paid is to be given back: the audit row says how much.

    Raises Refused: EXCHANGE_UNKNOWN, CARD_REASON, STATE_FORBIDS.
    """
    seen = exchange_named(actor, number)
    new, old = lock_cards(actor, [seen.new_card, seen.old_card])
    case = lock_exchange(actor, number)
    case.state = EXCHANGE.after(case.state, "cancel")
    case.cancel_reason = must_give_reason("cancel", reason)[:200]
    exchange_over(actor, case)
    move(actor, new, "cancel", "cancelled", reason=case.cancel_reason)
    refund = case.fee_fen if case.fee_paid_at is not None else 0
    tell(actor, [old], "exchange_cancelled", exchange=case.number, reason=case.cancel_reason, refund_fen=refund)
    case.closed_at = timezone.now()
    case.save(update_fields=["state", "cancel_reason", "closed_at"])
    record(actor, "exchange.cancelled", case.subject, reason=case.cancel_reason, refund_fen=refund)
    return case
