"""Collect the new card at the outlet of the application; the old one is handed in there, or declared missing (R3)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.actions.apply_exchange import keep_documents
from sheka.systems.cards.actions.hand_in_card import take_in
from sheka.systems.cards.actions.hand_out_card import give
from sheka.systems.cards.actions.pay_exchange import yuan
from sheka.systems.cards.documents import Document, Identity, Proxy, documents_of_collection, must_be_complete
from sheka.systems.cards.ledger import guard, lock_cards, lock_person, move, tell
from sheka.systems.cards.models import Card, ExchangeCase
from sheka.systems.cards.queries.exchanges import exchange_named, lock_exchange
from sheka.systems.cards.scope import counter
from sheka.systems.cards.states import EXCHANGE
from sheka.systems.cards.waiting import exchange_over, old_card_lies_at


@action(Permission.EXCHANGE_COLLECT)
def collect_exchange(
    actor: Actor,
    *,
    number: str,
    identity: Identity,
    documents: Sequence[Document],
    old_card: str = "",
    not_returned: str = "",
    proxy: Proxy | None = None,
) -> ExchangeCase:
    """`number` is read off the confirmation; `old_card` is the number of the card handed in, or `not_returned` the
    reason that the holder declared. The new card takes over in the same transaction: the person keeps everything (R6).

    Raises Refused: EXCHANGE_UNKNOWN, EXCHANGE_WRONG_OUTLET, EXCHANGE_FEE_UNPAID, EXCHANGE_DOCUMENT_MISSING,
    EXCHANGE_OLD_CARD, EXCHANGE_NOT_RETURNED_REASON, CARD_IDENTITY_…, CARD_PROXY_…, STATE_FORBIDS.
    """
    place = counter(actor)
    seen = exchange_named(actor, number)
    old, new = lock_cards(actor, [seen.old_card, seen.new_card])
    case = lock_exchange(actor, number)
    lock_person(case.person_id)
    state = EXCHANGE.after(case.state, "collect")
    _must_be_settled(case, place)
    must_be_complete(documents, documents_of_collection(by_proxy=proxy is not None, on=timezone.localdate()))
    reason = _old_card_reason(case, old, old_card, not_returned)
    guard(old, "replace")
    exchange_over(actor, case)
    if not reason:
        old_card_lies_at(actor, place)
    move(actor, old, "replace", "replaced", exchange=case.number, new_card=new.number)
    if reason:
        old.not_returned_at = timezone.now()
        old.save(update_fields=["not_returned_at"])
        tell(actor, [old], "not_returned", reason=reason)
    else:
        take_in(actor, old, place)
    give(actor, new, identity, proxy)
    keep_documents(actor, case, "collection", documents)
    case.state, case.collected_at = state, timezone.now()
    case.collected_by = "proxy" if proxy is not None else "holder"
    case.old_card_returned, case.not_returned_reason = not reason, reason
    case.closed_at = case.collected_at
    case.save()
    record(
        actor,
        "exchange.collected",
        case.subject,
        old_card=old.subject,
        new_card=new.subject,
        by=case.collected_by,
        old_card_returned=case.old_card_returned,
    )
    return case


def _must_be_settled(case: ExchangeCase, place: Organisation) -> None:
    if case.outlet_id != place.code:
        raise Refused(Code.EXCHANGE_WRONG_OUTLET, expected=case.outlet.name)
    if case.fee_fen and case.fee_paid_at is None:
        raise Refused(Code.EXCHANGE_FEE_UNPAID, fee=yuan(case.fee_fen))


def _old_card_reason(case: ExchangeCase, old: Card, handed_in: str, not_returned: str) -> str:
    """Empty when the old card is handed in, else why it is not."""
    if handed_in:
        if handed_in != old.number:
            raise Refused(Code.EXCHANGE_OLD_CARD, got=handed_in, expected=old.number)
        return ""
    reason = not_returned.strip()[:200]
    if not reason:
        raise Refused(Code.EXCHANGE_NOT_RETURNED_REASON, exchange=case.number)
    return reason
