"""Two people at two counters at the same moment: one is served, the other is told why not, nothing is given twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.verify import verify
from sheka.office.scope import whole_node
from sheka.systems.cards.actions.apply_exchange import Damage, apply_exchange
from sheka.systems.cards.actions.change_personal_data import change_personal_data
from sheka.systems.cards.actions.collect_exchange import collect_exchange
from sheka.systems.cards.actions.destroy_cards import create_destruction
from sheka.systems.cards.actions.hand_out_card import hand_out_card
from sheka.systems.cards.actions.number_cards import number_cards
from sheka.systems.cards.actions.order_cards import order_cards
from sheka.systems.cards.actions.pay_exchange import pay_exchange
from sheka.systems.cards.actions.receive_stock import receive_stock
from sheka.systems.cards.actions.report_loss import report_loss
from sheka.systems.cards.fees import Cause, Ground
from sheka.systems.cards.models import Card, ExchangeCase

pytestmark = pytest.mark.django_db(transaction=True)
OUTLET, CENTRE, LAYOUT = "460100-01", "460100-CC", "ab" * 32


def at_once(*verbs):
    """Run the verbs at the same moment, each on a connection of its own; each one's value or the refusal's code."""
    barrier = Barrier(len(verbs))

    def run(verb):
        barrier.wait()
        try:
            with whole_node("a thread has no scope of its own"):
                return verb()
        except Refused as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


def apply(make, papers, who, card, cause=Cause.QUALITY_DEFECT):
    return apply_exchange(
        make.staff[who],
        card=card,
        ground=Ground.DAMAGED,
        identity=make.identity(card),
        documents=papers("holder_id", "old_card"),
        damage=Damage(surface="磨损", cause=cause),
    )


def collect(make, papers, card, case):
    return collect_exchange(
        make.staff["clerk"],
        number=case.number,
        identity=make.identity(card),
        documents=papers("confirmation", "holder_id"),
        old_card=card.number,
    )


def test_two_clerks_open_one_exchange(make, staff, papers):
    card = make.active()
    staff["clerk"], staff["other_clerk"]
    found = at_once(*(lambda who=who: apply(make, papers, who, card) for who in ("clerk", "other_clerk")))
    assert Code.EXCHANGE_OPEN in found
    assert ExchangeCase.objects.count() == 1
    assert Card.objects.filter(person=card.person).count() == 2
    assert verify().holds


def test_the_last_card_of_a_right_is_ordered_once(make, staff, people, right):
    type(right).objects.update(quantity=1)
    planner = staff["planner"]
    found = at_once(
        *(
            lambda person=person: order_cards(planner, people=[person], outlet=OUTLET, layout_digest=LAYOUT)
            for person in people[:4]
        )
    )
    assert found.count(Code.ISSUANCE_QUANTITY) == 3
    assert Card.objects.count() == 1


def test_one_person_ordered_twice_gets_one_card(make, staff, people):
    planner = staff["planner"]
    order = lambda: order_cards(planner, people=people[:3], outlet=OUTLET, layout_digest=LAYOUT)  # noqa: E731
    assert Code.CARD_PERSON_HAS_ONE in at_once(order, order)
    assert Card.objects.count() == 3


def test_cards_numbered_side_by_side_get_numbers_of_their_own(make, staff):
    cards = [make.ordered() for _ in range(6)]
    producer = staff["producer"]
    at_once(*(lambda two=cards[at : at + 2]: number_cards(producer, cards=two) for at in (0, 2, 4)))
    numbers = set(Card.objects.values_list("number", flat=True))
    assert len(numbers) == 6 and None not in numbers


def test_one_card_is_handed_out_once(make, staff):
    card = make.in_stock()
    give = lambda: hand_out_card(staff["clerk"], card=card, identity=make.identity(card))  # noqa: E731
    assert at_once(give, give, give).count(Code.STATE_FORBIDS) == 2
    assert card.events.filter(event="handed_out").count() == 1


def test_a_loss_report_and_a_collection_do_not_wait_for_each_other_for_ever(make, staff, papers):
    for _ in range(3):
        card = make.active()
        case = apply(make, papers, "clerk", card)
        make.in_stock(number_cards(staff["producer"], cards=[case.new_card])[0])
        found = at_once(
            lambda card=card: report_loss(staff["other_clerk"], card=card, identity=make.identity(card)),
            lambda card=card, case=case: collect(make, papers, card, case),
        )
        assert isinstance(found[1], ExchangeCase)
        card.refresh_from_db()
        assert card.state == "handed_in"


def test_two_keepers_list_a_card_once(make, staff, places):
    card = make.in_state("handed_in")
    Card.objects.filter(pk=card.pk).update(held_at=CENTRE)
    keeper = staff["keeper"]
    create = lambda: create_destruction(keeper, cards=[card], method="shred")  # noqa: E731
    assert Code.DESTRUCTION_CARD_TAKEN in at_once(create, create)


def test_stock_fees_and_changes_of_data_do_not_wait_for_each_other_for_ever(make, staff, papers):
    """Each of these writes to an exchange, a card or a person and to the audit chain: a ring of locks would end one."""
    staff["clerk"], staff["data_clerk"], staff["producer"]
    for turn in range(3):
        card = make.active()
        case = apply(make, papers, "clerk", card, Cause.PEOPLE)
        new = make.personalised(number_cards(staff["producer"], cards=[case.new_card])[0])
        change = {"phone": f"1090000{turn:04d}"}
        found = at_once(
            lambda new=new: receive_stock(staff["clerk"], cards=[new]),
            lambda case=case: pay_exchange(staff["clerk"], number=case.number, paid_fen=case.fee_fen, receipt="R"),
            lambda card=card, change=change: change_personal_data(
                staff["data_clerk"], person=card.person, changes=change, evidence="x"
            ),
        )
        assert not any(isinstance(answer, Code) for answer in found)
        found = at_once(
            lambda card=card, case=case: collect(make, papers, card, case),
            lambda card=card, turn=turn: change_personal_data(
                staff["data_clerk"], person=card.person, changes={"phone": f"1090001{turn:04d}"}, evidence="x"
            ),
        )
        assert isinstance(found[0], ExchangeCase)
    assert verify().holds
