"""The life of a card: every verb from its states and from no other, who may, where, and what is told (S3, I6)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import CardIdentificationCode, CardNumber
from sheka.foundation.refusals import Code
from sheka.office.audit.models import Event
from sheka.office.audit.verify import verify
from sheka.systems.cards.actions.block_card import block_card, unblock_card
from sheka.systems.cards.actions.cancel_card import cancel_card
from sheka.systems.cards.actions.hand_in_card import hand_in_card
from sheka.systems.cards.actions.hand_out_card import hand_out_card
from sheka.systems.cards.actions.number_cards import last_day, number_cards
from sheka.systems.cards.actions.order_cards import order_cards
from sheka.systems.cards.actions.receive_stock import receive_stock
from sheka.systems.cards.actions.report_loss import release_loss, report_loss, report_loss_temporarily
from sheka.systems.cards.documents import Identity, Proxy
from sheka.systems.cards.models import Card, CardEvent, Numbering
from sheka.systems.cards.numbering import number_of
from sheka.systems.cards.queries import life_line
from sheka.systems.cards.states import CARD

OUTLET, OTHER_OUTLET, LAYOUT = "460100-01", "460100-02", "ab" * 32


def test_a_card_goes_from_order_to_holder(make):
    card = make.handed_out()
    assert card.state == "handed_out"
    assert card.received_on is not None
    assert list(card.events.values_list("event", flat=True)) == [
        "ordered", "numbered", "personalised", "received", "handed_out",
    ]  # fmt: skip
    line = life_line(card)
    assert [event.kind for event in line] == ["done"] * 5 + ["now"]
    assert all((event.at is None) == (event.kind == "now") for event in line)
    assert verify().holds


def test_numbers_hold_and_are_signed_by_the_machine_of_the_city(make, machine, machine_keys):
    first, second = make.numbered(), make.numbered(specification="2.00", algorithm=Algorithm.TDES)
    for card in (first, second):
        assert CardNumber.parse(card.number).district == "D"
        code = CardIdentificationCode.parse(card.identification_code)
        assert code.region == "460100"
        assert bytes.fromhex(card.factor)[2:] == bytes.fromhex("4601") + code.serial
        key = machine_keys[Algorithm(card.algorithm)]["IRK"]
        expected = machine.card_authentication_codes(key.ref, [bytes.fromhex(card.factor)], [code.signed_part])
        assert [code.authentication_code] == expected
    assert int(second.number[1:8]) == int(first.number[1:8]) + 1


@pytest.mark.parametrize(
    ("issued", "last"),
    [
        (date(2026, 1, 5), date(2036, 1, 4)),
        (date(2026, 1, 1), date(2035, 12, 31)),
        (date(2024, 2, 29), date(2034, 2, 28)),
        (date(2026, 3, 1), date(2036, 2, 29)),
    ],
)
def test_a_card_is_valid_until_the_day_before_the_anniversary(issued, last):
    assert last_day(issued, "3.00") == last


def test_a_city_that_used_up_a_letter_goes_on_with_the_next_and_stops_after_the_last(make, staff, places, refused):
    Numbering.objects.create(organisation=places["460100"], last_serial=9_999_999)
    assert make.numbered().number.startswith("E0000000")
    Numbering.objects.update(last_serial=19_999_999)
    card = make.ordered()
    refused(Code.CARD_NUMBERS_USED_UP, lambda: number_cards(staff["producer"], cards=[card]))
    card.refresh_from_db()
    assert (card.state, card.number) == ("ordered", None)


def test_every_serial_of_a_city_has_a_number_of_its_own(places):
    serials = [1, 2, 9_999_999, 10_000_000, 19_999_999]
    numbers = {number_of(places["460100"], serial, date(2026, 5, 1)).text for serial in serials}
    assert len(numbers) == len(serials)


STEPS = {
    "number": lambda make, card: number_cards(make.staff["producer"], cards=[card]),
    "receive": lambda make, card: receive_stock(make.staff["clerk"], cards=[card]),
    "hand_out": lambda make, card: hand_out_card(make.staff["clerk"], card=card, identity=make.identity(card)),
    "report_loss_temporarily": lambda make, card: report_loss_temporarily(
        make.staff["clerk"], card=card, how="本人电话"
    ),
    "report_loss": lambda make, card: report_loss(make.staff["clerk"], card=card, identity=make.identity(card)),
    "release": lambda make, card: release_loss(make.staff["clerk"], card=card, identity=make.identity(card)),
    "block": lambda make, card: block_card(make.staff["supervisor"], card=card, reason="核查"),
    "unblock": lambda make, card: unblock_card(make.staff["supervisor"], card=card, reason="核查完毕"),
    "cancel": lambda make, card: cancel_card(make.staff["supervisor"], card=card, reason="误订"),
    "hand_in": lambda make, card: hand_in_card(make.staff["clerk"], card=card),
}


@pytest.mark.parametrize("state", CARD.states)
def test_every_verb_works_from_its_states_and_is_refused_in_every_other(make, refused, state):
    card = make.in_state(state)
    told = card.events.count()
    rows = Event.objects.filter(event__startswith="card.").count()
    for verb, step in STEPS.items():
        if verb not in CARD.verbs(state):
            refused(Code.STATE_FORBIDS, lambda step=step: step(make, card))
            card.refresh_from_db()
            assert (card.state, card.events.count()) == (state, told)
            assert Event.objects.filter(event__startswith="card.").count() == rows
    for verb in set(STEPS) & set(CARD.verbs(state)):
        with transaction.atomic():
            STEPS[verb](make, card)
            card.refresh_from_db()
            assert card.state == CARD.after(state, verb)
            assert card.events.count() == told + 1
            transaction.set_rollback(True)
        card.refresh_from_db()


def test_a_card_never_activated_comes_back_to_handed_out(make, staff):
    card = make.handed_out()
    STEPS["report_loss"](make, card)
    assert release_loss(staff["clerk"], card=card, identity=make.identity(card)).state == "handed_out"
    block_card(staff["supervisor"], card=card, reason="核查")
    assert unblock_card(staff["supervisor"], card=card, reason="完毕").state == "handed_out"


@pytest.mark.parametrize(
    ("verb", "who"),
    [
        ("number", "clerk"),
        ("receive", "producer"),
        ("hand_out", "planner"),
        ("report_loss", "supervisor"),
        ("release", "data_clerk"),
        ("block", "clerk"),
        ("unblock", "clerk"),
        ("cancel", "clerk"),
        ("hand_in", "supervisor"),
    ],
)
def test_who_lacks_the_permission_is_refused(make, refused, monkeypatch, verb, who):
    card = make.in_state({"number": "ordered", "receive": "personalised", "hand_out": "in_stock"}.get(verb, "active"))
    everyone = dict.fromkeys(("producer", "clerk", "supervisor"), make.staff[who])
    monkeypatch.setattr(make, "staff", everyone)
    refused(Code.PERMISSION_MISSING, lambda: STEPS[verb](make, card))


def test_an_outlet_of_another_city_has_no_say(make, staff, refused):
    card = make.active()
    report = lambda who: report_loss(staff[who], card=card, identity=make.identity(card))  # noqa: E731
    refused(Code.ORGANISATION_OUT_OF_REACH, lambda: report("far_clerk"))
    assert report("other_clerk").state == "lost"


def test_a_card_is_taken_in_and_handed_out_only_where_it_was_sent(make, staff, refused):
    card = make.personalised(outlet=OTHER_OUTLET)
    refused(Code.CARD_WRONG_OUTLET, lambda: receive_stock(staff["clerk"], cards=[card]))
    receive_stock(staff["other_clerk"], cards=[card])
    refused(Code.CARD_WRONG_OUTLET, lambda: hand_out_card(staff["clerk"], card=card, identity=make.identity(card)))
    assert hand_out_card(staff["other_clerk"], card=card, identity=make.identity(card)).state == "handed_out"


def test_the_identity_document_is_the_holders(make, staff, people, refused):
    card = make.in_stock()
    number, name = card.person.social_security_number, card.person.name
    give = lambda identity: hand_out_card(staff["clerk"], card=card, identity=identity)  # noqa: E731
    refused(Code.CARD_IDENTITY_DIFFERS, lambda: give(Identity(name, people[-1].social_security_number)))
    refused(Code.CARD_IDENTITY_NAME, lambda: give(Identity(name + "某", number)))
    refused(Code.NUMBER_LENGTH, lambda: give(Identity(name, number[:-1])))
    assert give(Identity(name, "P1234567", card=False)).state == "handed_out"


def test_a_proxy_is_recorded_and_is_somebody_else(make, staff, proxy, refused):
    card = make.in_stock()
    person = card.person
    give = lambda agent: hand_out_card(  # noqa: E731
        staff["clerk"], card=card, identity=make.identity(card), proxy=agent
    )
    refused(Code.CARD_PROXY_SELF, lambda: give(Proxy(person.name, person.social_security_number, "本人")))
    refused(Code.CARD_PROXY_INCOMPLETE, lambda: give(Proxy(proxy.name, proxy.number, " ")))
    refused(Code.NUMBER_CHECK, lambda: give(Proxy("张三", "460100199001010010", "子女")))
    give(proxy)
    facts = card.events.get(event="handed_out").facts
    assert (facts["to"], facts["relation"]) == ("proxy", "配偶")
    assert proxy.number not in str(facts) + Event.objects.order_by("-sequence").first().facts


def test_one_person_has_one_card(make, staff, refused):
    card = make.active()
    refused(Code.CARD_PERSON_HAS_ONE, lambda: make.ordered(person=card.person))
    cancelled = make.ordered()
    refused(Code.CARD_PERSON_HAS_ONE, lambda: make.ordered(person=cancelled.person))
    cancel_card(staff["supervisor"], card=cancelled, reason="误订")
    assert make.ordered(person=cancelled.person).state == "ordered"


def test_the_database_itself_knows_that_a_person_has_one_card(make):
    first, second = make.active(), make.active()
    with pytest.raises(IntegrityError, match="cards_card_one_held"), transaction.atomic():
        Card.objects.filter(pk=second.pk).update(person=first.person)


def test_a_batch_is_made_whole_or_not_at_all(make, staff, people, refused):
    planner = staff["planner"]
    order = lambda people, **more: order_cards(  # noqa: E731
        planner, people=people, outlet=OUTLET, **{"layout_digest": LAYOUT, **more}
    )
    refused(Code.CARD_BATCH_EMPTY, lambda: order([]))
    refused(Code.CARD_TWICE_IN_BATCH, lambda: order([people[0], people[0]]))
    refused(Code.CARD_SPECIFICATION, lambda: order(people[:2], specification="3.00", algorithm=Algorithm.TDES))
    refused(Code.CARD_SPECIFICATION, lambda: order(people[:2], specification="9.00"))
    card = make.active(person=people[1])
    refused(Code.CARD_PERSON_HAS_ONE, lambda: order(people[:3]))
    assert Card.objects.exclude(pk=card.pk).count() == 0


@pytest.mark.req("I6")
def test_no_card_without_a_right_in_its_layout_and_quantity(make, staff, people, right, refused):
    planner = staff["planner"]
    order = lambda people, layout=LAYOUT: order_cards(  # noqa: E731
        planner, people=people, outlet=OUTLET, layout_digest=layout
    )
    refused(Code.ISSUANCE_LAYOUT, lambda: order(people[:1], "cd" * 32))
    type(right).objects.update(quantity=2)
    assert "(2)" in str(refused(Code.ISSUANCE_QUANTITY, lambda: order(people[:3])))
    order(people[:2])
    refused(Code.ISSUANCE_QUANTITY, lambda: order(people[2:3]))
    type(right).objects.update(valid_to=right.valid_from + timedelta(days=1))
    refused(Code.ISSUANCE_NO_NUMBER, lambda: order(people[2:3]))


@pytest.mark.req("I6")
def test_a_card_cancelled_before_it_was_made_gives_its_place_back_and_a_made_one_does_not(make, staff, right, refused):
    type(right).objects.update(quantity=1)
    cancel_card(staff["supervisor"], card=make.ordered(), reason="误订")
    cancel_card(staff["supervisor"], card=make.personalised(), reason="残次")
    refused(Code.ISSUANCE_QUANTITY, lambda: make.ordered())


@pytest.mark.req("I6")
def test_the_right_is_taken_only_by_the_process_that_carries_the_approval(staff, right, refused):
    from sheka.systems.cards.actions.take_issuing_right import take_issuing_right

    values = {"number": right.number, "quantity": 5, "layout_digest": LAYOUT, "valid_from": right.valid_from}
    values["valid_to"] = right.valid_to
    for who in ("planner", "supervisor", "clerk", "producer", "keeper"):
        refused(Code.PERMISSION_MISSING, lambda who=who: take_issuing_right(staff[who], **values))
    refused(Code.ISSUANCE_QUANTITY, lambda: take_issuing_right(staff["process"], **{**values, "quantity": 0}))
    assert take_issuing_right(staff["process"], **values).pk == right.pk


def test_a_reason_is_not_blank(make, staff, refused):
    card = make.active()
    refused(Code.CARD_REASON, lambda: block_card(staff["supervisor"], card=card, reason="  "))
    refused(Code.CARD_REASON, lambda: report_loss_temporarily(staff["clerk"], card=card, how=""))


def test_what_was_never_made_cannot_be_handed_in(make, staff, refused):
    card = make.numbered()
    cancel_card(staff["supervisor"], card=card, reason="误订")
    refused(Code.CARD_NEVER_MADE, lambda: hand_in_card(staff["clerk"], card=card))


def test_the_switch_learns_holder_and_state_of_a_card(make):
    card = make.active()
    with connection.cursor() as cursor:
        cursor.execute("SELECT card_id, person_id, state FROM cards_holder(%s)", [card.number])
        assert cursor.fetchall() == [(card.pk, card.person_id, "active")]
        cursor.execute("SELECT * FROM cards_holder(%s)", ["D0000001X"])
        assert cursor.fetchall() == []


def test_the_life_of_a_card_is_not_rewritten(make):
    event = make.ordered().events.get()
    for change in (lambda: event.delete(), lambda: CardEvent.objects.filter(pk=event.pk).update(by="nobody")):
        with pytest.raises(Exception, match=r"append-only|permission denied"), transaction.atomic():
            change()


def test_a_state_without_a_next_step_ends_its_line(make):
    assert [event.kind for event in life_line(make.active())][-1] == "done"
