"""Carriers come from the ministry only: ordered, approved, issued, shipped and received (K5)."""

import pytest

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.custody.actions.content import empty_carrier, fill_carrier
from sheka.systems.custody.actions.issue_carriers import issue_carriers
from sheka.systems.custody.models import Carrier, CarrierOrder
from sheka.systems.custody.queries import carrier, carrier_in_hand, chain_of

KEY = {"name": "UK_ARPK", "version": 1, "algorithm": "SM4", "check_value": "A1B2C3D4"}


@pytest.mark.req("K5")
def test_an_order_goes_to_the_ministry_and_comes_back_as_carriers(people, at_province):
    keeper = people["p-keeper"]
    here = [carrier_in_hand(keeper, serial) for serial in at_province]
    assert [(row.kind, row.state, row.at, row.certified) for row in here] == [
        ("transmission_key_card", "blank", "460000", True)
    ] * 2
    there = Carrier.objects.filter(organisation_id="000000").order_by("serial")
    assert [(row.serial, row.state, row.at) for row in there] == [
        (serial, "away", "460000") for serial in sorted(at_province)
    ]
    assert CarrierOrder.objects.get(organisation_id="000000").state == "issued"
    assert CarrierOrder.objects.get(organisation_id="460000").state == "approved"
    assert [link.title.en for link in chain_of(keeper, at_province[0])] == [
        "Given by Ministry, on its way",
        "The ministry confirmed that it issued it",
        "Received",
    ]


@pytest.mark.req("K5")
def test_nobody_but_the_ministry_issues(people):
    with pytest.raises(Refused) as refused:
        issue_carriers(people["p-keeper"], kind="psam", count=1)
    assert refused.value.code is Code.CARRIER_ISSUER


def test_content_is_written_down_and_erased(people, at_province):
    process = Actor.process("ceremony:1", "460000")
    serial = at_province[0]
    assert fill_carrier(process, serial, [KEY]).state == "loaded"
    assert carrier(people["p-keeper"], serial).content == [KEY]
    with pytest.raises(Refused) as refused:
        fill_carrier(process, serial, [KEY])
    assert refused.value.code is Code.CUSTODY_CONTENT
    assert empty_carrier(process, serial).state == "blank"
