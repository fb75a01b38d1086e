"""Which work waits for whom because of cards (issue 3): opened and closed by the actions, before their audit rows.

The order is the ledger's: whoever writes an audit row has all other rows already, items of work among them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import change_due, close_work, open_work
from sheka.systems.cards.models import (
    Card,
    DestructionBatch,
    ExchangeCase,
    ProductionBatch,
    ReturnTransfer,
)
from sheka.systems.cards.states import OPEN_EXCHANGE

MAKE, STOCK = "batch.make", "batch.stock"
EXCHANGE_MAKE, EXCHANGE_STOCK, EXCHANGE_COLLECT = "exchange.make", "exchange.stock", "exchange.collect"
OLD_SEND, OLD_RECEIVE, OLD_DESTROY = "old_card.send", "old_card.receive", "old_card.destroy"
WITNESS, CLOSE = "destruction.witness", "destruction.close"
_TO_MAKE = ("ordered", "numbered")


def batch_ordered(actor: Actor, batch: ProductionBatch) -> None:
    """First cards were ordered: somebody makes them."""
    open_work(
        actor,
        kind=MAKE,
        subject=f"batch:{batch.pk}",
        organisation=batch.organisation_id,
        permission=Permission.CARD_PRODUCE,
        title_zh=f"制卡 {batch.quantity} 张，送{batch.outlet.name}",
        title_en=f"Make {batch.quantity} cards for {batch.outlet.name_en}",
    )


def cards_move(actor: Actor, cards: Sequence[Card], *, made: bool = False) -> None:
    """These locked cards are about to leave the state they are in; `made`: to be taken into stock next.

    A batch has work as long as one of its cards has; its row is locked, so that of two last cards one sees the other.
    """
    ours = [card.pk for card in cards]
    batches = ProductionBatch.objects.select_for_update(of=("self",)).select_related("outlet")
    for batch in batches.filter(pk__in={card.batch_id for card in cards}, reason="order").order_by("pk"):
        others = batch.cards.exclude(pk__in=ours)
        if others.filter(state__in=_TO_MAKE).exists():
            continue
        subject = f"batch:{batch.pk}"
        close_work(actor, MAKE, subject)
        if not made and not others.filter(state="personalised").exists():
            close_work(actor, STOCK, subject)
            continue
        open_work(
            actor,
            kind=STOCK,
            subject=subject,
            organisation=batch.outlet_id,
            permission=Permission.CARD_STOCK,
            title_zh=f"清点入库新卡 {batch.quantity} 张",
            title_en=f"Take {batch.quantity} new cards into stock",
        )


def exchange_applied(actor: Actor, case: ExchangeCase) -> None:
    """The new card is to be made, to be ready on the seventh working day (R2)."""
    open_work(
        actor,
        kind=EXCHANGE_MAKE,
        subject=case.subject,
        organisation=case.old_card.organisation_id,
        permission=Permission.CARD_PRODUCE,
        title_zh=f"制作换发新卡，送{case.outlet.name}",
        title_en=f"Make the exchanged card for {case.outlet.name_en}",
        due_on=case.due_on,
    )


def exchange_made(actor: Actor, card: Card) -> None:
    """The new card of an exchange, if this is one, goes to its outlet."""
    case = ExchangeCase.objects.filter(new_card=card, state__in=OPEN_EXCHANGE).first()
    if case is None:
        return
    close_work(actor, EXCHANGE_MAKE, case.subject)
    open_work(
        actor,
        kind=EXCHANGE_STOCK,
        subject=case.subject,
        organisation=case.outlet_id,
        permission=Permission.CARD_STOCK,
        title_zh="换发新卡入库",
        title_en="Take the exchanged card into stock",
        due_on=case.due_on,
    )


def exchange_ready(actor: Actor, case: ExchangeCase) -> None:
    """The new card lies at the counter: its holder comes while the temporary proof is valid."""
    close_work(actor, EXCHANGE_STOCK, case.subject)
    open_work(
        actor,
        kind=EXCHANGE_COLLECT,
        subject=case.subject,
        organisation=case.outlet_id,
        permission=Permission.EXCHANGE_COLLECT,
        title_zh="新卡待领取，收回旧卡",
        title_en="Hand the new card over, take the old one in",
        due_on=case.proof_to,
    )


def exchange_recounted(actor: Actor, case: ExchangeCase) -> None:
    """The promised day moved with the calendar: what waits for it moves too."""
    for kind in (EXCHANGE_MAKE, EXCHANGE_STOCK):
        change_due(kind, case.subject, case.due_on)


def exchange_over(actor: Actor, case: ExchangeCase) -> None:
    """Collected or cancelled: nothing waits any more."""
    for kind in (EXCHANGE_MAKE, EXCHANGE_STOCK, EXCHANGE_COLLECT):
        close_work(actor, kind, case.subject)


def old_card_lies_at(actor: Actor, place: Organisation) -> None:
    """An old card was handed in at a counter: it goes to the card centre with the next transfer (R4)."""
    open_work(
        actor,
        kind=OLD_SEND,
        subject=f"counter:{place.code}",
        organisation=place.code,
        permission=Permission.OLD_CARD_RETURN,
        title_zh="上交已收回的旧卡",
        title_en="Send the old cards to the card centre",
    )


def old_cards_sent(actor: Actor, transfer: ReturnTransfer, cards: Sequence[Card]) -> None:
    """The centre counts them; the counter has nothing more to send when these were all."""
    left = Card.objects.filter(held_at_id=transfer.sender_id, state="handed_in").exclude(pk__in=[c.pk for c in cards])
    if not left.exclude(returns__transfer__state="sent").exists():
        close_work(actor, OLD_SEND, f"counter:{transfer.sender_id}")
    open_work(
        actor,
        kind=OLD_RECEIVE,
        subject=f"return:{transfer.number}",
        organisation=transfer.recipient_id,
        permission=Permission.OLD_CARD_RECEIVE,
        title_zh=f"清点{transfer.sender.name}上交的旧卡 {len(cards)} 张",
        title_en=f"Count {len(cards)} old cards from {transfer.sender.name_en}",
    )


def old_cards_received(actor: Actor, transfer: ReturnTransfer) -> None:
    """They lie at the centre until they are destroyed."""
    close_work(actor, OLD_RECEIVE, f"return:{transfer.number}")
    to_be_destroyed(actor, transfer.recipient_id)


def to_be_destroyed(actor: Actor, centre: str) -> None:
    """Old cards lie at the centre that are in no batch of destruction."""
    open_work(
        actor,
        kind=OLD_DESTROY,
        subject=f"centre:{centre}",
        organisation=centre,
        permission=Permission.OLD_CARD_DESTROY,
        title_zh="编制旧卡统一销毁清单",
        title_en="List the old cards for unified destruction",
    )


def destruction_listed(actor: Actor, batch: DestructionBatch, cards: Sequence[Card]) -> None:
    """Two people sign as witnesses; nothing is left to list when these were all the old cards."""
    left = Card.objects.filter(held_at_id=batch.organisation_id, state="handed_in").exclude(
        pk__in=[card.pk for card in cards]
    )
    if not left.exclude(destructions__given_up=False).exists():
        close_work(actor, OLD_DESTROY, f"centre:{batch.organisation_id}")
    open_work(
        actor,
        kind=WITNESS,
        subject=f"destruction:{batch.number}",
        organisation=batch.organisation_id,
        permission=Permission.OLD_CARD_WITNESS,
        title_zh=f"见证销毁旧卡 {len(cards)} 张",
        title_en=f"Witness the destruction of {len(cards)} old cards",
    )


def destruction_witnessed(actor: Actor, batch: DestructionBatch) -> None:
    """Everybody who is needed has signed: the cards can be destroyed."""
    close_work(actor, WITNESS, f"destruction:{batch.number}")
    open_work(
        actor,
        kind=CLOSE,
        subject=f"destruction:{batch.number}",
        organisation=batch.organisation_id,
        permission=Permission.OLD_CARD_DESTROY,
        title_zh="销毁旧卡并办结清单",
        title_en="Destroy the old cards and close the list",
    )


def destruction_over(actor: Actor, batch: DestructionBatch) -> None:
    """Closed or given up; what was given up is to be listed again."""
    for kind in (WITNESS, CLOSE):
        close_work(actor, kind, f"destruction:{batch.number}")
    if batch.state == "given_up":
        to_be_destroyed(actor, batch.organisation_id)
