"""What a reader of cards sees: search, page, life line, buttons; masked, audited, in both languages (design §2.10)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import translation

from sheka.foundation.refusals import Code
from sheka.office.audit.models import Event
from sheka.systems.cards.actions.apply_exchange import Damage, apply_exchange
from sheka.systems.cards.actions.number_cards import number_cards
from sheka.systems.cards.actions.report_loss import report_loss_temporarily
from sheka.systems.cards.actions.reveal_number import reveal_number
from sheka.systems.cards.fees import Ground
from sheka.systems.cards.labels import EVENTS, EXCHANGE_NEXT, EXCHANGE_STATES, NEXT, STATES, VERBS
from sheka.systems.cards.queries import (
    actions_for,
    card_named,
    card_page,
    card_with_code,
    cards_served,
    life_line,
    people_without_card,
    person_with_number,
    search_cards,
)
from sheka.systems.cards.states import CARD, EXCHANGE, OPEN_EXCHANGE


def offers(card, actor):
    return {offer.verb: offer for offer in actions_for(card, actor)}


def test_cards_are_found_by_exact_name_card_number_and_person_number(make, staff):
    first, second = make.active(), make.numbered()
    number, name = first.person.social_security_number, first.person.name
    clerk = staff["clerk"]
    for text in (first.number, first.number.lower(), number, name, f" {name} "):
        assert list(search_cards(clerk, text)) == [first]
    for part in (number[:17], name[:1], ""):
        assert first not in search_cards(clerk, part)
    assert set(cards_served(clerk)) == {first, second}


def test_a_search_is_audited_without_the_number_that_was_looked_for(make, staff):
    card = make.active()
    number = card.person.social_security_number
    assert search_cards(staff["clerk"], number).count() == 1
    row = Event.objects.order_by("-sequence").first()
    assert (row.event, '"by":"person number"' in row.facts, '"found":1' in row.facts) == ("card.searched", True, True)
    assert number not in row.facts


def test_a_card_without_a_number_is_found_by_the_mark_that_lists_show(make, staff, refused):
    card = make.ordered()
    mark = str(cards_served(staff["clerk"]).get())
    assert mark == f"#{card.pk}"
    assert card_page(staff["clerk"], mark).state == "ordered"
    for wrong in ("#", "#x", "#9" * 3, "#" + "9" * 30, "#²"):
        refused(Code.CARD_UNKNOWN, lambda wrong=wrong: card_named(staff["clerk"], wrong))
    refused(Code.CARD_UNKNOWN, lambda: card_named(staff["far_clerk"], mark))


def test_who_may_not_see_cards_gets_no_rows_to_count(staff, refused):
    refused(Code.PERMISSION_MISSING, lambda: cards_served(replace(staff["clerk"], permissions=frozenset())))


def test_other_cities_cards_are_not_there(make, staff, refused):
    card = make.active()
    far_supervisor = replace(staff["far_clerk"], permissions=staff["supervisor"].permissions)
    assert not search_cards(staff["far_clerk"], card.number).exists()
    refused(Code.CARD_UNKNOWN, lambda: card_page(staff["far_clerk"], card.number))
    refused(Code.CARD_UNKNOWN, lambda: card_named(staff["clerk"], "D0009999X"))
    refused(Code.CARD_UNKNOWN, lambda: card_with_code(staff["far_clerk"], card.identification_code))
    refused(Code.ORGANISATION_OUT_OF_REACH, lambda: reveal_number(far_supervisor, card, "核对身份"))
    assert card_with_code(staff["other_clerk"], card.identification_code) == card
    assert people_without_card(staff["far_clerk"]).count() == 0
    refused(Code.PERSON_UNKNOWN, lambda: person_with_number(staff["far_clerk"], card.person.social_security_number))
    assert person_with_number(staff["clerk"], card.person.social_security_number) == card.person


def test_the_page_of_a_card_shows_everything_and_no_whole_number(make, staff):
    card = make.active()
    page = card_page(staff["clerk"], card.number)
    assert card.person.social_security_number not in repr(page)
    assert card.person.phone not in repr(page)
    assert (page.name, page.state, page.exchange) == (card.person.name, "active", None)
    assert len(page.life_line) == 6
    assert Event.objects.order_by("-sequence").first().event == "card.viewed"


def test_the_whole_number_is_shown_for_a_purpose_that_stays_on_record(make, staff, refused):
    card = make.active()
    refused(Code.CARD_PURPOSE, lambda: reveal_number(staff["supervisor"], card, " "))
    refused(Code.PERMISSION_MISSING, lambda: reveal_number(staff["clerk"], card, "核对身份"))
    assert reveal_number(staff["supervisor"], card, "核对身份") == card.person.social_security_number
    row = Event.objects.order_by("-sequence").first()
    assert (row.event, "核对身份" in row.facts) == ("person.revealed", True)
    assert card.person.social_security_number not in row.facts


@pytest.mark.parametrize("state", CARD.states)
def test_a_button_is_offered_exactly_when_the_verb_would_go_through_or_says_why_not(make, staff, state):
    card = make.in_state(state)
    for who in ("clerk", "supervisor", "producer"):
        for language in ("zh-hans", "en"):
            with translation.override(language):
                for offer in actions_for(card, staff[who]):
                    assert offer.permitted == (offer.why_not == "")
                    assert "?" not in offer.why_not and "{" not in offer.why_not
    found = offers(card, staff["clerk"])
    assert found["hand_out"].permitted == (state == "in_stock")
    assert found["receive"].permitted == (state == "personalised")
    assert found["activate"].permitted == (state == "handed_out")
    assert found["exchange"].permitted == (state in ("handed_out", "active", "blocked"))
    assert not found["block"].permitted
    found = offers(card, staff["supervisor"])
    assert found["cancel"].permitted == ("cancel" in CARD.verbs(state))
    assert found["block"].permitted == ("block" in CARD.verbs(state))
    assert found["reveal"].permitted


def test_an_open_exchange_takes_the_buttons_that_belong_to_it(make, staff, papers):
    card = make.active()
    case = apply_exchange(
        staff["clerk"],
        card=card,
        ground=Ground.DAMAGED,
        identity=make.identity(card),
        documents=papers("holder_id", "old_card"),
        damage=Damage(surface="磨损"),
    )
    assert case.number in offers(card, staff["clerk"])["exchange"].why_not
    new = make.in_stock(number_cards(staff["producer"], cards=[case.new_card])[0])
    assert case.number in offers(new, staff["clerk"])["hand_out"].why_not
    assert card_page(staff["clerk"], card.number).exchange.number == case.number
    assert card_page(staff["clerk"], new.number).exchange.new_card == new.number


def test_the_line_shows_bad_days_in_the_readers_language(make, staff):
    card = make.active()
    card = report_loss_temporarily(staff["clerk"], card=card, how="本人来电")
    with translation.override("en"):
        told = life_line(card)[-2]
        assert (told.kind, told.title, told.detail) == ("bad", "Temporary loss report", "本人来电")
    with translation.override("zh-hans"):
        assert life_line(card)[-2].title == "临时挂失"


def test_every_state_verb_and_event_has_its_words():
    assert set(STATES) == set(CARD.states) == set(NEXT)
    assert set(EXCHANGE_STATES) == set(EXCHANGE.states)
    assert set(EXCHANGE_NEXT) == set(OPEN_EXCHANGE)
    verbs = {row.verb.removesuffix("_unused") for row in CARD.transitions} - {"replace", "destroy"}
    assert verbs <= set(VERBS)
    assert all(kind in ("done", "bad") for kind, _, _ in EVENTS.values())


def test_every_word_on_screen_is_translated():
    words = [*STATES.values(), *EXCHANGE_STATES.values(), *VERBS.values(), *(w for row in NEXT.values() for w in row)]
    words += [part for _, title, detail in EVENTS.values() for part in (title, detail) if not isinstance(part, str)]
    with translation.override("zh-hans"):
        untranslated = [str(word) for word in words if str(word).isascii()]
    assert untranslated == []
