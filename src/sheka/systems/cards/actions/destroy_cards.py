"""Unified destruction of old cards: a batch, two witnesses who did not make it, a record that never changes (R4)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Kind
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import person_of
from sheka.systems.cards.actions.return_old_cards import must_lie_at
from sheka.systems.cards.ledger import guard, lock_cards, move_all
from sheka.systems.cards.models import Card, DestructionBatch, DestructionItem, DestructionWitness
from sheka.systems.cards.numbering import document_number
from sheka.systems.cards.policy import EXCHANGE, in_force
from sheka.systems.cards.queries.destruction import record_of
from sheka.systems.cards.states import DESTRUCTION
from sheka.systems.cards.waiting import destruction_listed, destruction_over, destruction_witnessed


@action(Permission.OLD_CARD_DESTROY)
def create_destruction(actor: Actor, *, cards: Sequence[Card], method: str) -> DestructionBatch:
    """List old cards that lie at the actor's card centre. The digest of the list is what the witnesses sign.

    Raises Refused: DESTRUCTION_NEEDS_PERSON, RETURN_EMPTY, RETURN_RECIPIENT, RETURN_CARD_ELSEWHERE,
    DESTRUCTION_CARD_TAKEN, DESTRUCTION_METHOD.
    """
    if actor.staff_id is None:
        raise Refused(Code.DESTRUCTION_NEEDS_PERSON)
    place = organisation(actor.organisation)
    if place.kind != Kind.CARD_CENTRE:
        raise Refused(Code.RETURN_RECIPIENT, organisation=place.name)
    rule = in_force(EXCHANGE, "destruction", timezone.localdate())
    if method not in rule["methods"]:
        raise Refused(Code.DESTRUCTION_METHOD, method=method, methods=", ".join(rule["methods"]))
    if not cards:
        raise Refused(Code.RETURN_EMPTY)
    found = lock_cards(actor, cards)
    for card in found:
        guard(card, "destroy")
        must_lie_at(card, place)
        if card.destructions.filter(given_up=False).exists():
            raise Refused(Code.DESTRUCTION_CARD_TAKEN, card=card)
    batch = DestructionBatch.objects.create(
        number=document_number("X", place),
        organisation=place,
        method=method,
        creator_id=actor.staff_id,
        creator_person=person_of(actor.staff_id),
        created_at=timezone.now(),
        list_digest=_list_digest(found),
    )
    DestructionItem.objects.bulk_create(DestructionItem(batch=batch, card=card) for card in found)
    destruction_listed(actor, batch, found)
    record(
        actor,
        "old_card.destruction_created",
        f"destruction:{batch.number}",
        method=method,
        list_digest=batch.list_digest,
        cards=[card.subject for card in found],
    )
    return batch


@action(Permission.OLD_CARD_WITNESS)
def witness_destruction(actor: Actor, *, number: str, list_digest: str) -> DestructionWitness:
    """Sign as a witness for exactly the list with this digest. Two accounts of one person are one witness.

    Raises Refused: DESTRUCTION_UNKNOWN, DESTRUCTION_NEEDS_PERSON, DESTRUCTION_CREATOR, DESTRUCTION_WITNESSED,
    DESTRUCTION_STALE, STATE_FORBIDS, ORGANISATION_OUT_OF_REACH.
    """
    batch = _lock_batch(actor, number)
    DESTRUCTION.after(batch.state, "witness")
    if actor.staff_id is None:
        raise Refused(Code.DESTRUCTION_NEEDS_PERSON)
    person = person_of(actor.staff_id)
    if person == batch.creator_person:
        raise Refused(Code.DESTRUCTION_CREATOR)
    if batch.witnesses.filter(person_id=person).exists():
        raise Refused(Code.DESTRUCTION_WITNESSED)
    if not list_digest == batch.list_digest == _list_digest(_cards_of(batch)):
        raise Refused(Code.DESTRUCTION_STALE)
    witness = DestructionWitness.objects.create(
        batch=batch,
        staff_id=actor.staff_id,
        person_id=person,
        name=actor.name,
        list_digest=list_digest,
        at=timezone.now(),
    )
    if batch.witnesses.count() >= _witnesses_needed():
        destruction_witnessed(actor, batch)
    record(actor, "old_card.witnessed", f"destruction:{number}", list_digest=list_digest)
    return witness


@action(Permission.OLD_CARD_DESTROY)
def close_destruction(actor: Actor, *, number: str) -> DestructionBatch:
    """The cards are destroyed: batch, rows and witnesses become a record that the database lets nobody change.

    Raises Refused: DESTRUCTION_UNKNOWN, DESTRUCTION_WITNESSES, DESTRUCTION_STALE, STATE_FORBIDS.
    """
    batch = _lock_batch(actor, number)
    state = DESTRUCTION.after(batch.state, "close")
    witnesses = list(batch.witnesses.all())
    needed = _witnesses_needed()
    if len(witnesses) < needed:
        raise Refused(Code.DESTRUCTION_WITNESSES, got=len(witnesses), needed=needed)
    found = lock_cards(actor, _cards_of(batch))
    if _list_digest(found) != batch.list_digest:
        raise Refused(Code.DESTRUCTION_STALE)
    names = [witness.name for witness in witnesses]
    destruction_over(actor, batch)
    move_all(actor, found, "destroy", "destroyed", batch=number, method=batch.method, witnesses=names)
    batch.state, batch.closed_by, batch.closed_at = state, actor.name, timezone.now()
    batch.record_digest = digest(record_of(batch, found, witnesses))
    batch.save()
    record(actor, "old_card.destroyed", f"destruction:{number}", record_digest=batch.record_digest, witnesses=names)
    return batch


@action(Permission.OLD_CARD_DESTROY)
def give_up_destruction(actor: Actor, *, number: str) -> DestructionBatch:
    """The batch was wrong: its cards are free for another one, its list stays. Raises Refused(STATE_FORBIDS)."""
    batch = _lock_batch(actor, number)
    state = DESTRUCTION.after(batch.state, "give_up")
    batch.items.update(given_up=True)
    batch.state, batch.closed_by, batch.closed_at = state, actor.name, timezone.now()
    batch.save()
    destruction_over(actor, batch)
    record(actor, "old_card.destruction_given_up", f"destruction:{number}")
    return batch


def _witnesses_needed() -> int:
    return int(in_force(EXCHANGE, "destruction", timezone.localdate())["witnesses"])


def _lock_batch(actor: Actor, number: str) -> DestructionBatch:
    rows = DestructionBatch.objects.select_for_update(of=("self",)).select_related("organisation")
    batch = rows.filter(number=number).first()
    if batch is None:
        raise Refused(Code.DESTRUCTION_UNKNOWN, number=number)
    actor.must_act_for(batch.organisation)
    return batch


def _cards_of(batch: DestructionBatch) -> list[Card]:
    return [item.card for item in batch.items.select_related("card")]


def _list_digest(cards: Sequence[Card]) -> str:
    return digest(sorted([str(card.number), str(card.chip_serial)] for card in cards))
