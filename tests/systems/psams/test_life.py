"""A PSAM from the ministry's hand to its terminal, at work, back, recycled, and what stops it (K5, K8, K9)."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction
from django.utils import timezone
from tests.support.payments import CITY, HOSPITAL

from sheka.equipment.card_reader.psam import PsamSession
from sheka.foundation.refusals import Code, Refused
from sheka.office.incidents.models import Incident
from sheka.office.messages.delivery import carry_all
from sheka.office.staff.actors import Actor
from sheka.systems.custody.models import Carrier
from sheka.systems.psams.actions.follow_custody import follow_custody, take_switch_alarms
from sheka.systems.psams.actions.load_psam import load_psam, recycle_psam
from sheka.systems.psams.actions.place_psam import (
    activate_psam,
    bind_psam,
    describe_psam,
    ship_psam,
    take_back_psam,
    unbind_psam,
)
from sheka.systems.psams.actions.stop_psam import freeze_psam, report_psam_lost, thaw_psam
from sheka.systems.psams.jobs import follow
from sheka.systems.psams.models import Psam, PsamFacts
from sheka.systems.psams.queries import life_of, map_of, psam_named, silent, use_of
from sheka.systems.psams.states import PSAM
from sheka.systems.transactions.models import Block, TerminalPsam
from sheka.systems.transactions.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)
TERMINAL, OTHER = "460100000001", "460100000002"


@pytest.mark.req("K8")
@pytest.mark.req("K5")
def test_a_psam_goes_from_blank_to_its_terminal_pays_and_comes_back_blank(
    bank, switch, psams, drawer, city_keys, officers
):
    keys, acquiring, custodian = officers["keys"], officers["acquiring"], officers["custodian"]
    (serial,) = psams(1, keys)
    row = load_psam(keys, serial=serial, reader=drawer.reader(serial))
    assert (row.state, row.level, len(row.keys)) == ("loaded", "city", 16)
    carrier = Carrier.objects.get(serial=serial, organisation_id=CITY)
    assert carrier.content == row.keys and set(row.keys[0]) == {"name", "version", "algorithm", "check_value"}
    with pytest.raises(Refused) as refusal:
        bind_psam(acquiring, serial=serial, terminal=TERMINAL, reader=drawer.reader(serial))
    assert refusal.value.code is Code.CARRIER_NOT_IN_HAND  # nobody handed it over to this person
    Carrier.objects.filter(pk=carrier.pk).update(keeper_id=acquiring.staff_id)
    bind_psam(acquiring, serial=serial, terminal=TERMINAL, reader=drawer.reader(serial))
    with PsamSession(drawer.reader(serial)) as session:
        assert (session.information().terminal, len(session.information().keys)) == (TERMINAL, 16)
    ship_psam(acquiring, serial=serial, receiver="收费处 王某")
    card = bank.cards[0].number
    with Terminal(switch.host, switch.port, TERMINAL, HOSPITAL, bank.mac, psam=serial) as terminal:
        assert answer_within(terminal, card, Code.PSAM_NOT_IN_SERVICE.value)
        activate_psam(acquiring, serial=serial)
        assert answer_within(terminal, card, 0)
    describe_psam(acquiring, serial=serial, form="id000", conditions="室内，恒温", mode="terminal")
    describe_psam(
        acquiring,
        serial=serial,
        form="id000",
        conditions="室外窗口，防雨",
        mode="terminal",
        since=timezone.localdate() - timedelta(days=1),
    )
    assert [row.conditions for row in PsamFacts.objects.all()] == ["室外窗口，防雨", "室内，恒温"]
    switch.stop()
    found = psam_named(acquiring, serial)
    assert (found.state, found.institution, found.terminal) == ("in_use", HOSPITAL, TERMINAL)
    assert use_of(found)[-1].uses > 0 and use_of(found)[-1].terminals == (TERMINAL,)
    assert silent(acquiring) == []
    take_back_psam(custodian, serial=serial, reason="终端报废")
    assert not TerminalPsam.objects.exists()
    Carrier.objects.filter(pk=carrier.pk).update(keeper_id=keys.staff_id)
    recycle_psam(keys, serial=serial, reader=drawer.reader(serial))
    with PsamSession(drawer.reader(serial)) as session:
        assert (session.information().keys, session.information().terminal) == ((), "")
    found.refresh_from_db()
    assert (found.state, found.keys, found.terminal) == ("blank", [], "")
    assert Carrier.objects.get(pk=carrier.pk).content == []
    assert [moment.title.en.split(":")[0] for moment in life_of(found)] == [
        "Keys erased, recycled",
        "Taken back",
        "Form, conditions and mode of use",
        "Form, conditions and mode of use",
        "Activated",
        "Shipped to H46010000001, received by 收费处 王某",
        "Bound to the terminal 460100000001",
        "Loaded with 16 keys (city's keys, one factor)",
        "Entered in the register",
    ]


def answer_within(terminal, card, refusal) -> bool:
    began = time.monotonic()
    while terminal.purchase(card, 1).refusal != refusal:
        if time.monotonic() - began > 5:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.req("K8")
def test_one_psam_one_terminal_and_the_wrong_one_in_the_reader_is_noticed(bank, psams, drawer, city_keys, in_use):
    serial, city = in_use(), Actor.process("test", CITY)
    first, second = psams(2)
    Carrier.objects.filter(serial__in=(first, second), organisation_id=CITY).update(state="in_use")
    with pytest.raises(Refused) as refusal:
        load_psam(city, serial=first, reader=drawer.reader(second))
    assert refusal.value.code is Code.PSAM_CHIP_DIFFERS
    load_psam(city, serial=first, reader=drawer.reader(first))
    for terminal, code in ((TERMINAL, Code.TERMINAL_HAS_PSAM), ("460100999999", Code.TERMINAL_UNKNOWN)):
        with pytest.raises(Refused) as refusal:
            bind_psam(city, serial=first, terminal=terminal, reader=drawer.reader(first))
        assert refusal.value.code is code
    bind_psam(city, serial=first, terminal=OTHER, reader=drawer.reader(first))
    assert unbind_psam(city, serial=first, reason="终端不用了").terminal == ""
    for verb, arguments, code in (
        (bind_psam, {"serial": serial, "terminal": OTHER, "reader": drawer.reader(serial)}, Code.STATE_FORBIDS),
        (ship_psam, {"serial": first, "receiver": "x"}, Code.STATE_FORBIDS),
        (describe_psam, {"serial": serial, "form": "?", "conditions": "x", "mode": "terminal"}, Code.PSAM_ENTRY),
        (describe_psam, {"serial": serial, "form": "id1", "conditions": "x", "mode": "?"}, Code.PSAM_ENTRY),
        (describe_psam, {"serial": serial, "form": "id1", "conditions": " ", "mode": "pool"}, Code.PSAM_ENTRY),
        (take_back_psam, {"serial": serial, "reason": ""}, Code.PSAM_ENTRY),
        (activate_psam, {"serial": "53480100000000999999"}, Code.PSAM_NOT_HERE),
    ):
        with pytest.raises(Refused) as refusal:
            verb(city, **arguments)
        assert refusal.value.code is code, (verb, arguments)


@pytest.mark.req("K8")
def test_a_psam_that_lies_in_the_store_is_not_shipped(bank, psams, drawer, city_keys):
    (serial,) = psams(1)
    city = Actor.process("test", CITY)
    load_psam(city, serial=serial, reader=drawer.reader(serial))
    bind_psam(city, serial=serial, terminal=TERMINAL, reader=drawer.reader(serial))
    with pytest.raises(Refused) as refusal:
        ship_psam(city, serial=serial, receiver="收费处")
    assert refusal.value.code is Code.PSAM_NOT_HANDED_OUT


@pytest.mark.req("K9")
@pytest.mark.req("K8")
def test_a_lost_psam_is_an_incident_and_its_terminal_is_refused_at_once(bank, switch, in_use, officers):
    serial, card = in_use(), bank.cards[0].number
    with Terminal(switch.host, switch.port, TERMINAL, HOSPITAL, bank.mac, psam=serial) as terminal:
        assert answer_within(terminal, card, 0)
        Carrier.objects.filter(serial=serial).update(keeper_id=officers["custodian"].staff_id)
        report_psam_lost(officers["custodian"], serial=serial, how="巡检时终端内无PSAM卡")
        began = time.monotonic()
        while terminal.purchase(card, 1).approved:
            assert time.monotonic() - began < 5
    assert {row.kind for row in Block.objects.filter(lifted_at=None, organisation_id=CITY)} == {"psam", "terminal"}
    assert Incident.objects.filter(organisation_id=CITY, kind="lost_psam").count() == 1
    assert Psam.objects.get(serial=serial, organisation_id=CITY).state == "lost"
    with pytest.raises(Refused) as refusal:
        activate_psam(officers["acquiring"], serial=serial)
    assert refusal.value.code is Code.STATE_FORBIDS


@pytest.mark.req("K9")
def test_a_frozen_psam_works_again_only_after_its_keys_were_erased(bank, in_use, drawer):
    serial, city = in_use(), Actor.process("incident:I-1", CITY)
    assert serial in freeze_psam(city, serial=serial, incident="I-1")
    freeze_psam(city, serial=serial, incident="I-1")
    row = Psam.objects.get(serial=serial, organisation_id=CITY)
    assert (row.state, TerminalPsam.objects.get().active) == ("frozen", False)
    assert "1 entries" in thaw_psam(city, serial=serial, incident="I-1")
    row.refresh_from_db()
    assert (row.state, row.terminal, TerminalPsam.objects.count()) == ("returned", "", 0)
    assert recycle_psam(city, serial=serial, reader=drawer.reader(serial)).state == "blank"
    assert freeze_psam(city, serial="53480100000000999999", incident="I-2")
    with pytest.raises(Refused) as refusal:
        freeze_psam(city, serial="x", incident="I-2")
    assert refusal.value.code is Code.BLOCK_SUBJECT_INVALID


@pytest.mark.req("K8")
def test_what_custody_knows_enters_the_psams_life(bank, psams, in_use):
    serial, city = in_use(), Actor.process("test", CITY)
    (blank,) = psams(1)
    assert follow_custody(city) == 1
    Carrier.objects.filter(serial=blank, organisation_id=CITY).update(state="in_transit")
    follow()
    assert Psam.objects.get(serial=blank, organisation_id=CITY).state == "away"
    Carrier.objects.filter(serial=blank, organisation_id=CITY).update(state="blank")
    Carrier.objects.filter(serial=serial, organisation_id=CITY).update(state="lost")
    follow()
    assert Psam.objects.get(serial=blank, organisation_id=CITY).state == "blank"
    assert Psam.objects.get(serial=serial, organisation_id=CITY).state == "lost"
    assert Block.objects.filter(kind="psam", subject=serial, lifted_at=None, organisation_id=CITY).exists()
    Carrier.objects.filter(serial=serial, organisation_id=CITY).update(state="frozen")
    assert follow_custody(city) == 1
    assert Psam.objects.get(serial=serial, organisation_id=CITY).state == "frozen"
    Carrier.objects.filter(serial=serial, organisation_id=CITY).update(state="destroyed")
    assert follow_custody(city) == 1
    assert Psam.objects.get(serial=serial, organisation_id=CITY).state == "destroyed"
    assert not TerminalPsam.objects.exists()
    assert follow_custody(city) == 0


@pytest.mark.req("K8")
def test_those_above_know_where_a_psam_is_and_in_what_state(bank, in_use, installer, tree):
    serial = in_use()
    carry_all()
    ministry = Actor.process("test", "000000")
    follow_custody(ministry)
    describe_psam(Actor.process("test", CITY), serial=serial, form="id1", conditions="室内", mode="reader")
    carry_all()
    row = psam_named(ministry, serial)
    assert (row.state, row.standing, row.terminal, row.region) == ("away", "in_use", TERMINAL, CITY)
    assert {place.code: place.states for place in map_of(ministry) if place.total} == {"460000": {"in_use": 1}}
    city = map_of(Actor.process("test", CITY))
    assert {place.code: place.states for place in city if place.total} == {CITY: {"in_use": 1}}
    assert {place.code for place in city} > {"460105", "460106"}


@pytest.mark.req("K8")
def test_a_copied_psam_is_an_incident(bank, switch, in_use):
    serial, card = in_use(), bank.cards[0].number
    settings = {"psam": serial, "psam_sequence": 100}
    with Terminal(switch.host, switch.port, TERMINAL, HOSPITAL, bank.mac, **settings) as terminal:
        assert answer_within(terminal, card, 0)
    with Terminal(switch.host, switch.port, TERMINAL, HOSPITAL, bank.mac, psam=serial, first_stan=5_000) as copy:
        copy.purchase(card, 1)
    with Terminal(switch.host, switch.port, OTHER, HOSPITAL, bank.mac, psam=serial) as foreign:
        foreign.purchase(card, 1)
    switch.stop()
    made = take_switch_alarms(Actor.process("test", CITY))
    assert len(made) == 2 == Incident.objects.filter(organisation_id=CITY).count()
    copied = next(incident.about for incident in made if "疑似复制" in incident.about)
    assert "it may have been copied" in copied.splitlines()[1]
    assert [moment.kind for moment in life_of(Psam.objects.get(serial=serial))][:2] == ["bad", "bad"]


def test_what_was_recorded_stays(bank, in_use):
    in_use()
    for statement in ("UPDATE psams_psamfacts SET mode = 'pool'", "DELETE FROM psams_psamevent"):
        with pytest.raises((ProgrammingError, InternalError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_states_are_all_reached_from_blank():
    seen, wave = {"blank"}, {"blank"}
    while wave:
        wave = {row.target for row in PSAM.transitions if row.source in wave} - seen
        seen |= wave
    assert seen == set(PSAM.states)
