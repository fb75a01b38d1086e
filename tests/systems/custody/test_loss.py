"""A carrier is lost: stopped everywhere at once, told to superior and ministry, frozen and thawed by incidents (K9)."""

import pytest

from sheka.foundation.refusals import Code, Refused
from sheka.office.incidents.models import Incident
from sheka.office.messages.delivery import carry_all
from sheka.office.staff.actors import Actor
from sheka.systems.custody.actions.begin_hand_over import begin_hand_over
from sheka.systems.custody.actions.check_carrier import check_carrier, report_faulty
from sheka.systems.custody.actions.content import fill_carrier
from sheka.systems.custody.actions.report_lost import find_carrier, report_lost
from sheka.systems.custody.incidents import FreezeCarrier
from sheka.systems.custody.models import Carrier
from sheka.systems.custody.queries import carrier, carrier_in_hand

KEY = {"name": "UK_ARPK", "version": 1, "algorithm": "SM4", "check_value": "A1B2C3D4"}


@pytest.mark.req("K9", "K2")
def test_a_lost_carrier_is_stopped_everywhere_and_superior_and_ministry_know(people, at_province, handed):
    handed(people["p-keeper"], people["c-keeper"], at_province, purpose="send", to="460100", bag="B7", courier="某某")
    report_lost(people["c-keeper"], at_province[0], "开柜时未见")
    carry_all()
    rows = Carrier.objects.filter(serial=at_province[0])
    assert set(rows.values_list("organisation_id", "state")) == {
        ("000000", "lost"),
        ("460000", "lost"),
        ("460100", "lost"),
    }
    told = Incident.objects.filter(kind="lost_carrier").values_list("organisation_id", flat=True)
    assert set(told) == {"000000", "460000", "460100"}
    (about,) = set(Incident.objects.values_list("about", flat=True))
    assert about.splitlines() == [
        f"载体 {at_province[0]} 丢失。存放处：—；持有人：—。",
        f"The carrier {at_province[0]} is lost. Place: —; holder: —.",
        "开柜时未见",
    ]
    for login in ("c-keeper", "c-keys"):
        with pytest.raises(Refused) as refused:
            carrier_in_hand(people[login], at_province[0])
        assert refused.value.code is Code.CARRIER_STOPPED
    carrier_in_hand(people["c-keeper"], at_province[1])


@pytest.mark.req("K9")
def test_found_again_it_stays_frozen_until_the_incident_is_over(people, at_province):
    keeper, serial = people["p-keeper"], at_province[0]
    report_lost(keeper, serial, "开柜时未见")
    assert find_carrier(keeper, serial, "在另一格中").state == "frozen"
    with pytest.raises(Refused):
        begin_hand_over(keeper, serials=[serial], purpose="use", reason="使用", receiver="p-keys")
    process = Actor.process("incident:1", "460000")
    FreezeCarrier.freeze(process, serial, "1")
    FreezeCarrier.thaw(process, serial, "1")
    assert carrier(keeper, serial).state == "returned"
    assert check_carrier(keeper, serial, seal_whole=True, content_same=True).state == "blank"
    assert [thing.name for thing in FreezeCarrier.find(process, serial[:6])] == sorted(at_province)


@pytest.mark.req("K9")
def test_a_frozen_carrier_is_neither_written_nor_handed_over(people, at_province):
    process = Actor.process("incident:1", "460000")
    FreezeCarrier.freeze(process, at_province[0], "1")
    for call in (
        lambda: fill_carrier(process, at_province[0], [KEY]),
        lambda: begin_hand_over(
            people["p-keeper"], serials=at_province, purpose="use", reason="使用", receiver="p-keys"
        ),
        lambda: report_faulty(people["p-keeper"], at_province[0], "读不出"),
    ):
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.code is Code.CARRIER_STOPPED


def test_a_person_fills_only_what_was_handed_over(people, at_province):
    with pytest.raises(Refused) as refused:
        fill_carrier(people["p-keys"], at_province[0], [KEY])
    assert refused.value.code is Code.PERMISSION_MISSING


def test_a_faulty_carrier_is_told_and_kept_apart(people, at_province):
    assert report_faulty(people["p-keeper"], at_province[0], "芯片读不出").state == "faulty"
    with pytest.raises(Refused) as refused:
        begin_hand_over(people["p-keeper"], serials=at_province[:1], purpose="use", reason="使用", receiver="p-keys")
    assert refused.value.code is Code.STATE_FORBIDS
