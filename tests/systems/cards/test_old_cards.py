"""Old cards: from the outlets to the card centre, destroyed together before two witnesses, a record for good (R4)."""

from __future__ import annotations

import pytest
from django.db import transaction

from sheka.foundation.refusals import Code
from sheka.office.staff.models import Grant
from sheka.office.staff.queries import actor_of
from sheka.systems.cards.actions.destroy_cards import (
    close_destruction,
    create_destruction,
    give_up_destruction,
    witness_destruction,
)
from sheka.systems.cards.actions.return_old_cards import receive_old_cards, send_old_cards
from sheka.systems.cards.models import Card, DestructionBatch, DestructionItem, DestructionWitness
from sheka.systems.cards.queries import destruction_record, life_line, old_cards_at

OUTLET, CENTRE = "460100-01", "460100-CC"


@pytest.fixture
def old(make, places):
    """old(place) → a card that was handed in there."""

    def bring(place=OUTLET):
        card = make.in_state("handed_in")
        card.held_at = places[place]
        card.save(update_fields=["held_at"])
        return card

    return bring


@pytest.fixture
def batch(staff, old):
    """Two old cards in an open batch at the card centre."""
    return create_destruction(staff["keeper"], cards=[old(CENTRE), old(CENTRE)], method="shred")


def sign(staff, batch, *who):
    for name in who:
        witness_destruction(staff[name], number=batch.number, list_digest=batch.list_digest)


@pytest.mark.req("R4")
def test_old_cards_travel_to_the_centre_and_are_counted_there(staff, old, refused):
    cards = [old(), old()]
    transfer = send_old_cards(staff["clerk"], cards=cards, to=CENTRE)
    numbers = [card.number for card in cards]
    receive = lambda counted: receive_old_cards(staff["keeper"], number=transfer.number, counted=counted)  # noqa: E731
    assert numbers[1] in str(refused(Code.RETURN_COUNT, lambda: receive(numbers[:1])))
    refused(Code.RETURN_COUNT, lambda: receive([*numbers, "D0009999X"]))
    refused(Code.RETURN_COUNT, lambda: receive([*numbers, numbers[0]]))
    assert old_cards_at(staff["keeper"], CENTRE) == []
    receive(numbers)
    assert [card.number for card in old_cards_at(staff["keeper"], CENTRE)] == sorted(numbers)
    refused(Code.STATE_FORBIDS, lambda: receive(numbers))
    refused(Code.RETURN_UNKNOWN, lambda: receive_old_cards(staff["keeper"], number="R0", counted=[]))


@pytest.mark.req("R4")
def test_only_what_lies_at_the_outlet_is_sent_and_only_to_the_card_centre(make, staff, old, refused):
    card = old()
    send = lambda cards, to=CENTRE, who="clerk": send_old_cards(staff[who], cards=cards, to=to)  # noqa: E731
    refused(Code.RETURN_EMPTY, lambda: send([]))
    refused(Code.RETURN_RECIPIENT, lambda: send([card], "460100-02"))
    refused(Code.RETURN_CARD_ELSEWHERE, lambda: send([card], who="other_clerk"))
    refused(Code.RETURN_CARD_ELSEWHERE, lambda: send([make.active()]))
    send([card])
    refused(Code.RETURN_CARD_ELSEWHERE, lambda: send([card]))


@pytest.mark.req("R4")
def test_a_batch_needs_two_witnesses_who_did_not_make_it(staff, batch, refused):
    close = lambda: close_destruction(staff["keeper"], number=batch.number)  # noqa: E731
    refused(Code.DESTRUCTION_WITNESSES, close)
    sign(staff, batch, "witness")
    refused(Code.DESTRUCTION_WITNESSED, lambda: sign(staff, batch, "witness"))
    refused(Code.DESTRUCTION_WITNESSES, close)
    sign(staff, batch, "witness_2")
    closed = close()
    cards = Card.objects.filter(destructions__batch=batch)
    assert closed.state == "closed" and {card.state for card in cards} == {"destroyed"}
    assert {card.events.last().facts["batch"] for card in cards} == {batch.number}
    assert len(cards[0].events.last().facts["witnesses"]) == 2
    assert life_line(cards[0])[-1].kind == "done"


@pytest.mark.req("R4")
def test_two_accounts_of_one_person_are_one_witness_and_a_creator_is_none(appoint, staff, batch, refused):
    staff["twin"] = appoint("witness-twin", CENTRE, "destruction_witness", person="witness")
    sign(staff, batch, "witness")
    refused(Code.DESTRUCTION_WITNESSED, lambda: sign(staff, batch, "twin"))
    staff["keeper_twin"] = appoint("keeper-twin", CENTRE, "destruction_witness", person="keeper")
    refused(Code.DESTRUCTION_CREATOR, lambda: sign(staff, batch, "keeper_twin"))
    refused(Code.DESTRUCTION_NEEDS_PERSON, lambda: sign(staff, batch, "process"))


@pytest.mark.req("R4")
def test_the_creator_is_barred_even_with_the_right_to_witness(staff, batch, refused):
    from sheka.office.staff.models import StaffMember

    member = StaffMember.objects.get(login="keeper")
    Grant.objects.create(
        staff=member, role="destruction_witness", valid_from="2020-01-01", valid_to="2036-01-01", granted_by="test"
    )
    staff["keeper_with_both"] = actor_of(member)
    refused(Code.DESTRUCTION_CREATOR, lambda: sign(staff, batch, "keeper_with_both"))


@pytest.mark.req("R4")
def test_a_witness_signs_the_list_that_was_seen(staff, batch, old, refused):
    seen = batch.list_digest
    refused(
        Code.DESTRUCTION_STALE,
        lambda: witness_destruction(staff["witness"], number=batch.number, list_digest="00" * 32),
    )
    DestructionItem.objects.create(batch=batch, card=old(CENTRE))
    refused(
        Code.DESTRUCTION_STALE, lambda: witness_destruction(staff["witness"], number=batch.number, list_digest=seen)
    )


@pytest.mark.req("R4")
def test_a_closed_batch_never_changes_again(staff, batch, old, refused):
    sign(staff, batch, "witness", "witness_2")
    close_destruction(staff["keeper"], number=batch.number)
    found = destruction_record(staff["keeper"], batch.number)
    assert found.holds and len(found.content["cards"]) == 2
    extra = old(CENTRE)
    item = batch.items.first()
    signer = DestructionWitness.objects.first()
    attacks = [
        lambda: DestructionBatch.objects.filter(pk=batch.pk).update(method="burn"),
        lambda: DestructionBatch.objects.filter(pk=batch.pk).delete(),
        lambda: DestructionItem.objects.create(batch=batch, card=extra),
        lambda: DestructionItem.objects.filter(pk=item.pk).update(given_up=True),
        lambda: DestructionItem.objects.filter(pk=item.pk).delete(),
        lambda: DestructionWitness.objects.filter(pk=signer.pk).update(name="nobody"),
        lambda: DestructionWitness.objects.filter(pk=signer.pk).delete(),
    ]
    for attack in attacks:
        with (
            pytest.raises(Exception, match=r"closed|refused|append-only|permission denied|protected"),
            transaction.atomic(),
        ):
            attack()
    for verb in (close_destruction, give_up_destruction):
        refused(Code.STATE_FORBIDS, lambda verb=verb: verb(staff["keeper"], number=batch.number))
    refused(Code.STATE_FORBIDS, lambda: sign(staff, batch, "witness"))
    assert destruction_record(staff["keeper"], batch.number).holds


@pytest.mark.req("R4")
def test_a_card_stands_in_one_batch_and_is_free_again_when_that_is_given_up(staff, batch, refused):
    card = batch.items.first().card
    again = lambda: create_destruction(staff["keeper"], cards=[card], method="crush")  # noqa: E731
    refused(Code.DESTRUCTION_CARD_TAKEN, again)
    assert give_up_destruction(staff["keeper"], number=batch.number).state == "given_up"
    assert again().state == "open"


@pytest.mark.req("R4")
def test_what_may_be_destroyed_where_how_and_by_whom(make, staff, old, refused):
    card = old(CENTRE)
    create = lambda cards=(card,), method="shred", who="keeper": create_destruction(  # noqa: E731
        staff[who], cards=list(cards), method=method
    )
    refused(Code.RETURN_EMPTY, lambda: create([]))
    refused(Code.DESTRUCTION_METHOD, lambda: create(method="lose"))
    refused(Code.RETURN_CARD_ELSEWHERE, lambda: create([old(OUTLET)]))
    refused(Code.STATE_FORBIDS, lambda: create([make.active()]))
    refused(Code.PERMISSION_MISSING, lambda: create(who="witness"))
    refused(Code.DESTRUCTION_NEEDS_PERSON, lambda: create(who="process"))
    refused(Code.DESTRUCTION_UNKNOWN, lambda: close_destruction(staff["keeper"], number="X0"))
