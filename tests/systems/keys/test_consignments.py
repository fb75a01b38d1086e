"""Sub-keys on a carrier: once, in order, for their region, never after a loss, never with a wrong check value (K2)."""

from __future__ import annotations

import pytest
from tests.support.keys import HAIKOU, HAINAN, MINISTRY, PIN, SM4, ceremony

from sheka.foundation.refusals import Code, Refused
from sheka.office.messages.delivery import carry_all
from sheka.systems.custody.actions.report_lost import report_lost
from sheka.systems.custody.queries import carrier
from sheka.systems.keys.actions.export_keys import export_keys
from sheka.systems.keys.actions.follow_consignments import follow_carriers
from sheka.systems.keys.actions.import_keys import import_keys
from sheka.systems.keys.actions.propose_key_step import propose_export
from sheka.systems.keys.carriers import opened
from sheka.systems.keys.jobs import consignments as turn
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Consignment, Key

pytestmark = [pytest.mark.req("K2")]


@pytest.fixture
def sent(world):
    """Two keys of the ministry on a card that is still with it: (world, serial, consignment)."""
    world.generate(MINISTRY, names=["IRK", "STK"])
    serial = world.card()
    return world, serial, world.export(MINISTRY, HAINAN, serial)


def refusal(verb):
    with pytest.raises(Refused) as caught:
        verb()
    return caught.value.code


def states(consignment):
    rows = Consignment.objects.filter(number=consignment.number)
    return dict(rows.values_list("held_by_id", "state"))


def test_the_carrier_goes_from_hand_to_hand_and_the_consignment_with_it(sent):
    world, serial, made = sent
    assert carrier(world.officer[MINISTRY], serial).content[0]["name"] == "IRK"
    assert states(made) == {MINISTRY: "loaded", HAINAN: "loaded"}
    world.carry(MINISTRY, HAINAN, serial)
    turn()
    assert states(made) == {MINISTRY: "received", HAINAN: "received"}
    world.take(HAINAN, serial)
    assert states(made) == {MINISTRY: "acknowledged", HAINAN: "imported"}
    world.clear(HAINAN, serial)
    assert carrier(world.officer[HAINAN], serial).content == []
    with opened(HAINAN, world.drawer.reader(serial), serial, PIN) as session:
        assert session.contents().items == ()


def test_before_the_carrier_is_in_its_hands_nobody_imports(sent):
    world, serial, made = sent
    code = refusal(lambda: world.take(HAINAN, serial))
    assert code is Code.CARRIER_UNKNOWN
    assert states(made)[HAINAN] == "loaded"
    assert machine_of(HAINAN).list_keys() and not Key.objects.filter(organisation_id=HAINAN, name="IRK").exists()


def test_it_is_imported_once(sent):
    world, serial, _made = sent
    world.carry(MINISTRY, HAINAN, serial)
    world.take(HAINAN, serial)
    assert refusal(lambda: world.take(HAINAN, serial)) is Code.KEY_CONSIGNMENT_IMPORTED
    assert Key.objects.filter(organisation_id=HAINAN, name="IRK").count() == 1


def test_a_second_card_with_the_same_keys_brings_nothing(sent):
    """Else a key would stand twice in the register, and one of the two nowhere in the machine."""
    world, serial, _made = sent
    world.carry(MINISTRY, HAINAN, serial)
    world.take(HAINAN, serial)
    again = world.card()
    world.export(MINISTRY, HAINAN, again)
    world.carry(MINISTRY, HAINAN, again)
    assert refusal(lambda: world.take(HAINAN, again)) is Code.KEY_CONSIGNMENT_IMPORTED


def test_another_region_imports_nothing_of_it(sent):
    """The card came to Haikou by mistake: it was announced to Hainan."""
    world, serial, _made = sent
    world.carry(MINISTRY, HAINAN, serial)
    world.carry(HAINAN, HAIKOU, serial)
    assert refusal(lambda: world.take(HAIKOU, serial)) is Code.KEY_CONSIGNMENT_UNKNOWN


def test_a_consignment_made_with_the_factor_of_another_region_is_refused(sent):
    world, serial, made = sent
    world.carry(MINISTRY, HAINAN, serial)
    row = Consignment.objects.get(number=made.number, held_by_id=HAINAN)
    for one in row.content:
        one["factor"] = "4501000000000000"
    row.save()
    assert refusal(lambda: world.take(HAINAN, serial)) is Code.KEY_OTHER_REGION


def test_after_a_report_of_loss_it_is_void_at_both_ends(sent):
    world, serial, made = sent
    world.carry(MINISTRY, HAINAN, serial)
    report_lost(world.custodian[HAINAN], serial, "清点时未见")
    carry_all()
    turn()
    carry_all()
    assert states(made) == {MINISTRY: "lost", HAINAN: "lost"}
    assert refusal(lambda: world.take(HAINAN, serial)) is Code.KEY_CONSIGNMENT_LOST
    assert not Key.objects.filter(organisation_id=HAINAN, name="IRK").exists()


def test_between_the_report_and_the_clock_custody_refuses(sent):
    world, serial, _made = sent
    world.carry(MINISTRY, HAINAN, serial)
    report_lost(world.custodian[HAINAN], serial, "清点时未见")
    assert refusal(lambda: world.take(HAINAN, serial)) is Code.CARRIER_STOPPED


def test_with_a_wrong_check_value_nothing_is_kept(sent):
    world, serial, made = sent
    world.carry(MINISTRY, HAINAN, serial)
    row = Consignment.objects.get(number=made.number, held_by_id=HAINAN)
    row.content[1]["check_value"] = "DEADBEEF"
    row.save()
    assert refusal(lambda: world.take(HAINAN, serial)) is Code.KEY_CHECK_VALUE
    left = [info for info in machine_of(HAINAN).list_keys() if info.owner == HAINAN and not info.destroyed]
    assert left == []
    assert not Key.objects.filter(organisation_id=HAINAN, name__in=["IRK", "STK"]).exists()
    assert Consignment.objects.get(pk=row.pk).state == "loaded"


def test_an_exchanged_envelope_is_seen_before_the_machine_is_asked(sent):
    world, serial, _made = sent
    world.carry(MINISTRY, HAINAN, serial)
    with opened(HAINAN, world.drawer.reader(serial), serial, PIN) as session:
        first, second = session.read_envelopes()
        session.write_envelopes([second, first], "swapped")
    assert refusal(lambda: world.take(HAINAN, serial)) is Code.KEY_ENVELOPE_OTHER


def test_an_import_that_was_interrupted_is_done_again(sent):
    """The machine had taken the first key in when the power failed: nothing is lost, nothing doubled."""
    world, serial, made = sent
    world.carry(MINISTRY, HAINAN, serial)
    with opened(HAINAN, world.drawer.reader(serial), serial, PIN) as session:
        envelope = session.read_envelopes()[0]
    early = machine_of(HAINAN).import_envelope(envelope, machine_of(MINISTRY).public_key(), owner=HAINAN)
    keys = {key.name: key for key in world.take(HAINAN, serial)}
    assert keys["IRK"].reference == early.ref
    assert states(made)[MINISTRY] == "acknowledged"


def test_the_sender_disputes_other_check_values(sent):
    world, serial, made = sent
    world.carry(MINISTRY, HAINAN, serial)
    row = Consignment.objects.get(number=made.number, held_by_id=MINISTRY)
    row.content[0]["check_value"] = "00000000"
    row.save()
    world.take(HAINAN, serial)
    assert states(made)[MINISTRY] == "disputed"
    assert Key.objects.get(organisation_id=MINISTRY, name="IRK").state == "generated"


def test_an_export_needs_an_empty_card_and_the_one_that_was_named(sent):
    world, serial, _made = sent
    other = world.card()
    asked = propose_export(world.officer[MINISTRY], to=HAINAN, algorithm=SM4)
    number = world.consent(asked)

    def write(card, reader):
        return lambda: export_keys(
            ceremony(MINISTRY), proposal_id=number, carrier=card, reader=world.drawer.reader(reader), pin=PIN
        )

    assert refusal(write(serial, serial)) is Code.KEY_CARRIER_KIND
    assert refusal(write(other, serial)) is Code.KEY_CARRIER_OTHER
    assert write(other, other)().carrier == other


def test_a_person_neither_exports_nor_imports(sent):
    world, serial, _made = sent
    world.carry(MINISTRY, HAINAN, serial)
    reader = world.drawer.reader(serial)
    code = refusal(lambda: import_keys(world.officer[HAINAN], carrier=serial, reader=reader, pin=PIN))
    assert code is Code.PERMISSION_MISSING


def test_nothing_moves_while_the_carrier_rests(sent):
    world, _serial, made = sent
    assert follow_carriers(world.officer[MINISTRY]) == 0
    assert states(made)[MINISTRY] == "loaded"
