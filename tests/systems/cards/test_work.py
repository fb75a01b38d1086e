"""What cards put before whom: items of work appear and vanish with the card's life, also where it ends early."""

from __future__ import annotations

from datetime import date

import pytest

from sheka.equipment.card_reader.examination import ReaderFinding, StepFinding
from sheka.foundation.numbers import social_security_number
from sheka.foundation.terms import Term
from sheka.office.work.actions.take_work import take_next
from sheka.office.work.models import WorkItem
from sheka.office.work.queries import holders_of, unassigned
from sheka.office.work.search import Asked, search
from sheka.systems.cards.actions.apply_exchange import Damage, apply_exchange
from sheka.systems.cards.actions.cancel_card import cancel_card
from sheka.systems.cards.actions.cancel_exchange import cancel_exchange
from sheka.systems.cards.actions.change_personal_data import change_personal_data
from sheka.systems.cards.actions.collect_exchange import collect_exchange
from sheka.systems.cards.actions.destroy_cards import (
    close_destruction,
    create_destruction,
    give_up_destruction,
    witness_destruction,
)
from sheka.systems.cards.actions.hand_in_card import hand_in_card
from sheka.systems.cards.actions.import_people import import_people
from sheka.systems.cards.actions.number_cards import number_cards
from sheka.systems.cards.actions.order_cards import order_cards
from sheka.systems.cards.actions.personalise_card import produce_card
from sheka.systems.cards.actions.receive_stock import receive_stock
from sheka.systems.cards.actions.return_old_cards import receive_old_cards, send_old_cards
from sheka.systems.cards.fees import Cause, Ground
from sheka.systems.cards.models import Card
from sheka.systems.cards.queries.find import find_cards, find_receipts

CITY, OUTLET, CENTRE = "460100", "460100-01", "460100-CC"
MUTE = ReaderFinding("reader 1", "", (StepFinding(Term("上电复位", "power up"), "", False, Term("无应答", "mute")),))


def waiting():
    """The kinds that are open, each with its organisation, in order."""
    return sorted(WorkItem.objects.exclude(state="done").values_list("kind", "organisation_id"))


@pytest.fixture
def exchange(staff, make, papers):
    """An exchange for a broken chip, applied for, its old card active before."""
    card = make.active()
    return apply_exchange(
        staff["clerk"],
        card=card,
        ground=Ground.DAMAGED,
        identity=make.identity(card),
        documents=papers("holder_id", "old_card"),
        damage=Damage(reader=MUTE, cause=Cause.QUALITY_DEFECT),
    )


def test_a_batch_is_made_then_stocked(staff, people, right, keys, chips):
    batch = order_cards(staff["planner"], people=people[:2], outlet=OUTLET, layout_digest="ab" * 32)
    assert waiting() == [("batch.make", CITY)]
    assert take_next(staff["producer"]).subject == f"batch:{batch.pk}"
    first, second = number_cards(staff["producer"], cards=list(batch.cards.order_by("pk")))
    produce_card(staff["producer"], card=first, drawer=chips)
    assert waiting() == [("batch.make", CITY)], "the second is not made yet"
    produce_card(staff["producer"], card=second, drawer=chips)
    assert waiting() == [("batch.stock", OUTLET)]
    receive_stock(staff["clerk"], cards=[first])
    assert waiting() == [("batch.stock", OUTLET)]
    receive_stock(staff["clerk"], cards=[second])
    assert waiting() == []


def test_a_batch_whose_last_card_is_cancelled_waits_for_nobody(staff, make):
    card = make.ordered()
    cancel_card(staff["supervisor"], card=card, reason="不再需要")
    assert waiting() == []


@pytest.mark.req("R2")
def test_an_exchange_is_made_stocked_and_collected(staff, exchange, chips, make, papers):
    (item,) = WorkItem.objects.exclude(state="done")
    assert (item.kind, item.organisation_id, item.due_on) == ("exchange.make", CITY, exchange.due_on)
    assert item.number == exchange.number
    (holder,) = holders_of([item]).values()
    assert holder.name == exchange.person.name and "*" in holder.number
    (new,) = number_cards(staff["producer"], cards=[exchange.new_card])
    produce_card(staff["producer"], card=new, drawer=chips)
    assert waiting() == [("exchange.stock", OUTLET)]
    receive_stock(staff["clerk"], cards=[Card.objects.get(pk=new.pk)])
    assert waiting() == [("exchange.collect", OUTLET)]
    assert [found.subject for found in unassigned(staff["clerk"])[0:5]] == [exchange.subject]
    assert not list(unassigned(staff["other_clerk"])[0:5]), "it lies at another outlet"
    old = exchange.old_card
    collect_exchange(
        staff["clerk"],
        number=exchange.number,
        identity=make.identity(old),
        documents=papers("confirmation", "holder_id"),
        old_card=old.number,
    )
    assert waiting() == [("old_card.send", OUTLET)]


def test_an_exchange_that_is_cancelled_waits_for_nobody(staff, exchange):
    cancel_exchange(staff["supervisor"], number=exchange.number, reason="持卡人撤回")
    assert waiting() == []


@pytest.mark.req("R4")
def test_old_cards_are_sent_counted_listed_witnessed_and_destroyed(staff, make):
    cards = [make.in_state("replaced") for _ in range(2)]
    hand_in_card(staff["clerk"], card=cards[0])
    hand_in_card(staff["clerk"], card=cards[1])
    assert waiting() == [("old_card.send", OUTLET)], "one item for the counter, however many cards lie there"
    send = lambda card: send_old_cards(staff["clerk"], cards=[card], to=CENTRE)  # noqa: E731
    transfers = [send(cards[0])]
    assert waiting() == [("old_card.receive", CENTRE), ("old_card.send", OUTLET)]
    transfers.append(send(cards[1]))
    assert waiting() == [("old_card.receive", CENTRE)] * 2
    for transfer, card in zip(transfers, cards, strict=True):
        receive_old_cards(staff["keeper"], number=transfer.number, counted=[card.number])
    assert waiting() == [("old_card.destroy", CENTRE)]
    held = list(Card.objects.filter(held_at_id=CENTRE).order_by("pk"))
    batch = create_destruction(staff["keeper"], cards=held[:1], method="shred")
    assert waiting() == [("destruction.witness", CENTRE), ("old_card.destroy", CENTRE)], "one card is not listed yet"
    give_up_destruction(staff["keeper"], number=batch.number)
    assert waiting() == [("old_card.destroy", CENTRE)]
    batch = create_destruction(staff["keeper"], cards=held, method="shred")
    witness_destruction(staff["witness"], number=batch.number, list_digest=batch.list_digest)
    assert waiting() == [("destruction.witness", CENTRE)]
    witness_destruction(staff["witness_2"], number=batch.number, list_digest=batch.list_digest)
    assert waiting() == [("destruction.close", CENTRE)]
    close_destruction(staff["keeper"], number=batch.number)
    assert waiting() == []


def test_the_search_finds_people_cards_and_receipts(staff, exchange, make):
    person = exchange.person
    change_personal_data(staff["data_clerk"], person=person, changes={"name": "曾见微"}, evidence="户口簿")

    def found(text, who="clerk"):
        asked = Asked.of(text)
        return [(one.name, one.number) for one in (*find_cards(staff[who], asked), *find_receipts(staff[who], asked))]

    old = exchange.old_card.number
    for text in ("曾见", "zengjianwei", "cjw", "ZJW"):
        assert ("曾见微", old) in found(text), text
    assert found(old.lower()) == [("曾见微", old)]
    assert ("曾见微", old) in found(person.social_security_number)
    assert found(exchange.number) == found(exchange.proof_number) == [("曾见微", exchange.number)]
    assert found("没有此人") == found("") == found("9" * 18) == []
    assert found("zjw", "far_clerk") == found(old, "far_clerk") == found(exchange.number, "far_clerk") == []
    assert not search(staff["witness"], person.social_security_number[:17])


def test_people_who_came_with_a_file_are_found_before_they_have_a_card(staff):
    number = social_security_number("460105", date(1990, 1, 31), 901).text
    header = "社会保障号码,姓名,性别,出生日期,民族,电话,地址"
    import_people(staff["planner"], file=f"{header}\n{number},单于燕,男,19900131,汉族,10900001234,示例路1号".encode())
    for text in ("单于", "chanyuyan", "cyy", number):
        (found,) = find_cards(staff["clerk"], Asked.of(text))
        assert (found.name, found.number, found.address, found.exact) == ("单于燕", "", None, False)
        assert number not in str(found)
