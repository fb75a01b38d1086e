"""What other systems, programs and the clock are told of carriers (K5)."""

import pytest
from django.test import RequestFactory

from sheka.foundation.refusals import Code, Refused
from sheka.office.work.search import Asked
from sheka.systems.custody import queries
from sheka.systems.custody.api import get_carrier
from sheka.systems.custody.closing import carriers_held, hand_overs_running
from sheka.systems.custody.jobs import days, hand_overs
from sheka.systems.custody.queries.carriers import find_carriers


def test_a_register_is_its_organisations_own(people, at_province):
    assert set(queries.carriers(people["p-keeper"]).values_list("serial", flat=True)) == set(at_province)
    assert not queries.carriers(people["c-keeper"]).exists()
    for call in (queries.carrier, queries.carrier_in_hand, queries.chain_of):
        with pytest.raises(Refused) as refused:
            call(people["c-keeper"], at_province[0])
        assert refused.value.code is Code.CARRIER_UNKNOWN


def test_the_api_gives_a_carrier_with_its_chain(people, at_province):
    request = RequestFactory().get("/")
    request.actor = people["p-keeper"]
    found = get_carrier(request, at_province[0])
    assert (found.at, found.state, found.chain[-1].event) == ("460000", "blank", "Received")


def test_an_organisation_with_carriers_is_not_closed(people, at_province):
    assert (carriers_held("460000"), carriers_held("460100"), hand_overs_running("460000")) == (2, 0, 0)


def test_the_turns_of_the_clock_find_nothing_to_do_in_a_house_in_order(people, at_province):
    hand_overs()
    days()
    assert queries.carrier_in_hand(people["p-keeper"], at_province[0]).state == "blank"


def test_the_search_box_finds_a_carrier_by_the_beginning_of_its_serial(people, at_province):
    asked = Asked.of(at_province[0][:-1])
    assert [found.number for found in find_carriers(people["p-keeper"], asked)] == sorted(at_province)
    assert find_carriers(people["p-keeper"], Asked.of("534")) == []
    assert find_carriers(people["c-keeper"], asked) == []
