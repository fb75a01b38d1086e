"""Old cards go from the outlets to the card centre's service outlet: listed by the one, counted by the other (R4)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Kind, Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.ledger import lock_cards, tell
from sheka.systems.cards.models import Card, ReturnItem, ReturnTransfer
from sheka.systems.cards.numbering import document_number
from sheka.systems.cards.scope import city_of, counter
from sheka.systems.cards.states import RETURN
from sheka.systems.cards.waiting import old_cards_received, old_cards_sent


@action(Permission.OLD_CARD_RETURN)
def send_old_cards(actor: Actor, *, cards: Sequence[Card], to: str) -> ReturnTransfer:
    """Send cards that were handed in at the actor's counter to the card centre of the same city.

    Raises Refused: RETURN_EMPTY, RETURN_RECIPIENT, RETURN_CARD_ELSEWHERE, CARD_NOT_A_COUNTER.
    """
    place, centre = counter(actor), organisation(to)
    if centre.kind != Kind.CARD_CENTRE or city_of(centre).pk != city_of(place).pk or centre.pk == place.pk:
        raise Refused(Code.RETURN_RECIPIENT, organisation=centre.name)
    if not cards:
        raise Refused(Code.RETURN_EMPTY)
    found = lock_cards(actor, cards)
    for card in found:
        must_lie_at(card, place)
    transfer = ReturnTransfer.objects.create(
        number=document_number("R", place),
        sender=place,
        recipient=centre,
        sent_by=actor.name,
        sent_at=timezone.now(),
    )
    ReturnItem.objects.bulk_create(ReturnItem(transfer=transfer, card=card) for card in found)
    old_cards_sent(actor, transfer, found)
    tell(actor, found, "sent_to_centre", transfer=transfer.number, to=centre.code)
    record(actor, "old_card.sent", f"return:{transfer.number}", to=centre.code, cards=[card.subject for card in found])
    return transfer


@action(Permission.OLD_CARD_RECEIVE)
def receive_old_cards(actor: Actor, *, number: str, counted: Sequence[str]) -> ReturnTransfer:
    """The card numbers counted at the centre must be those of the list; then all of them lie there.

    Raises Refused: RETURN_UNKNOWN, RETURN_COUNT, STATE_FORBIDS, ORGANISATION_OUT_OF_REACH.
    """
    transfer = (
        ReturnTransfer.objects.select_for_update(of=("self",)).select_related("recipient").filter(number=number).first()
    )
    if transfer is None:
        raise Refused(Code.RETURN_UNKNOWN, number=number)
    actor.must_act_for(transfer.recipient)
    transfer.state = RETURN.after(transfer.state, "receive")
    found = lock_cards(actor, [item.card for item in transfer.items.select_related("card")])
    listed = {str(card.number) for card in found}
    _must_agree(listed, counted)
    for card in found:
        card.held_at = transfer.recipient
    Card.objects.bulk_update(found, ["held_at"], batch_size=1000)
    transfer.received_by, transfer.received_at = actor.name, timezone.now()
    transfer.save(update_fields=["state", "received_by", "received_at"])
    old_cards_received(actor, transfer)
    tell(actor, found, "received_at_centre", transfer=transfer.number, at=transfer.recipient_id)
    record(actor, "old_card.received", f"return:{transfer.number}", cards=len(found))
    return transfer


def must_lie_at(card: Card, place: Organisation) -> None:
    """The old card is handed in, lies at `place` and is in no transfer. Raises Refused(RETURN_CARD_ELSEWHERE)."""
    on_its_way = card.returns.filter(transfer__state="sent").exists()
    if card.state != "handed_in" or card.held_at_id != place.pk or on_its_way:
        raise Refused(Code.RETURN_CARD_ELSEWHERE, card=card, organisation=place.name)


def _must_agree(listed: set[str], counted: Sequence[str]) -> None:
    got = set(counted)
    if got != listed or len(got) != len(counted):
        extra = sorted(got - listed) + sorted({number for number in counted if list(counted).count(number) > 1})
        raise Refused(
            Code.RETURN_COUNT,
            expected=len(listed),
            missing=", ".join(sorted(listed - got)) or "-",
            extra=", ".join(extra) or "-",
        )
