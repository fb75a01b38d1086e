"""What happens at the machine: shares, back-up, a lost entry, an interruption in the middle of a step (K6, H5)."""

from __future__ import annotations

import shutil

import pytest
from tests.support.ceremonies import approved_generation, approved_plan, office_of, planned, play, players

from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.sealed_entry import seal_for
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.crypto.shamir import split
from sheka.foundation.refusals import Code, Refused
from sheka.systems.ceremonies import rehearsals
from sheka.systems.ceremonies.actions import take_step as taking
from sheka.systems.ceremonies.actions.abort_ceremony import abort_ceremony
from sheka.systems.ceremonies.actions.take_step import take_step
from sheka.systems.ceremonies.effects.machine import backup_folder
from sheka.systems.ceremonies.models import Act, Ceremony
from sheka.systems.ceremonies.queries import ceremony_numbered
from sheka.systems.ceremonies.rehearsals import end_test_machine, folder_of, rehearsal_machine
from sheka.systems.ceremonies.sweep import sweep_rehearsals
from sheka.systems.keys.machines import close_machines, machine_of
from sheka.systems.keys.models import Key

COMMITTED = pytest.mark.django_db(transaction=True)
PLAIN = pytest.mark.django_db


@PLAIN
@pytest.mark.req("K6")
def test_a_machine_that_was_shared_out_opens_with_two_of_three_shares(office, machine):
    people = players()
    proposal = approved_plan(office, "machine.set_up")
    ceremony = people.play(planned(office, "machine.set_up", proposal, 3, threshold=2))
    proposal.refresh_from_db()
    assert (ceremony.state, proposal.state) == ("done", "done") and "shares" not in ceremony.facts
    device = machine_of("000000")
    assert device.seal().sealed
    for holder in (3, 1):
        key = device.entry_key()
        progress = device.unseal(holder, key.id, seal_for(key.public_key, key.id, people.shares[f"custodian-{holder}"]))
    assert not progress.sealed


@PLAIN
@pytest.mark.req("K6")
def test_a_back_up_is_restored_into_a_new_machine_by_its_holders(office, machine, node, refused):
    people = players()
    play(planned(office, "keys.generate", approved_generation(office)))
    kept = people.play(planned(office, "machine.back_up", approved_plan(office, "machine.back_up"), 3, threshold=2))
    assert kept.state == "done" and (backup_folder() / f"{kept.number}.backup").stat().st_mode & 0o077 == 0
    keys = machine_of("000000").list_keys()
    machine.stop()
    shutil.rmtree(node.machine_folder("ministry"))
    close_machines()
    other = start_machine(
        node.machine_folder("ministry"),
        callers=node.machine_callers("ministry"),
        address=node.machine_address("ministry"),
        custodians=True,
    )
    try:
        request = approved_plan(office, "machine.restore")
        refused(Code.CEREMONY_ASKED, planned, office, "machine.restore", None, 3, threshold=2, backup=kept.number)
        asked = {"threshold": 2, "backup": kept.number}
        restored = people.play(planned(office, "machine.restore", request, 3, **asked))
        assert restored.state == "done" and machine_of("000000").list_keys() == keys
    finally:
        other.stop()


@PLAIN
def test_any_two_of_three_shamir_components_make_the_key(office, machine):
    components = {f"custodian-{n}": part for n, part in enumerate(split(bytes(range(16)), 2, 3), 1)}
    proposal = approved_generation(office)
    asked = {"scheme": "shamir", "threshold": 2}
    ceremony = play(planned(office, "keys.components", proposal, 3, **asked), components=components)
    expected = check_value(Algorithm.SM4, bytes(range(16))).hex().upper()
    assert ceremony.state == "done" and Key.objects.get().check_value == expected


@COMMITTED
@pytest.mark.req("K6")
def test_an_entry_that_the_machine_lost_is_begun_anew_and_both_tries_stay_on_record(office, machine, refused):
    people = players()
    ceremony = people.play(planned(office, "keys.components", approved_generation(office), scheme="xor"), up_to=5)
    machine_of("000000").cancel_components(ceremony.facts["entry"]["reference"])
    refused(Code.MACHINE_COMPONENTS_UNKNOWN, people.act, ceremony, ceremony.seats.get(key="custodian-2"))
    ceremony = Ceremony.objects.get()
    assert (ceremony.position, ceremony.round, ceremony.state) == (3, 2, "running")
    wrong = {
        **people.given(people.play(ceremony, up_to=4), ceremony.seats.get(key="custodian-1")),
        "check_value": "AAAA",
    }
    refused(Code.CEREMONY_VALUE, take_step, office.custodians[0], number=ceremony.number, step=4, given=wrong)
    ceremony = people.play(Ceremony.objects.get())
    assert ceremony.state == "done" and ceremony.round == 3
    refusals = Act.objects.filter(verdict="refused").values_list("evidence__number", flat=True)
    assert list(refusals) == [Code.MACHINE_COMPONENTS_UNKNOWN.value, Code.CEREMONY_VALUE.value]
    assert len([key for key in machine_of("000000").list_keys() if not key.destroyed]) == 1


@COMMITTED
@pytest.mark.req("K6")
def test_after_an_interruption_the_same_step_is_taken_again_and_makes_nothing_twice(office, machine, monkeypatch):
    ceremony = players().play(planned(office, "keys.generate", approved_generation(office)), up_to=3)
    keep_work = taking.keep_work

    def cut(*_):
        raise ConnectionError("the process is gone")

    monkeypatch.setattr(taking, "keep_work", cut)
    with pytest.raises(ConnectionError):
        players().play(ceremony)
    monkeypatch.setattr(taking, "keep_work", keep_work)
    ceremony = Ceremony.objects.get()
    made = machine_of("000000").list_keys()
    assert ceremony.position == 3 and Key.objects.get().state == "planned" and len(made) == 1
    assert players().play(ceremony).state == "done"
    assert machine_of("000000").list_keys() == made
    assert Key.objects.get().check_value == made[0].check_value


@PLAIN
@pytest.mark.req("K6")
def test_an_abort_takes_what_was_entered_out_of_the_machine(office, machine):
    ceremony = players().play(planned(office, "keys.components", approved_generation(office), scheme="xor"), up_to=5)
    reference = ceremony.facts["entry"]["reference"]
    abort_ceremony(office.leader, number=ceremony.number, reason="持有人突发疾病")
    with pytest.raises(Refused) as gone:
        machine_of("000000").finish_components(reference)
    assert gone.value.code is Code.MACHINE_COMPONENTS_UNKNOWN
    assert machine_of("000000").list_keys() == [] and "entry" not in Ceremony.objects.get().facts


@PLAIN
def test_another_machine_in_the_middle_is_noticed(office, machine, refused):
    ceremony = players().play(planned(office, "keys.generate", approved_generation(office)), up_to=3)
    ceremony.facts["fingerprint"] = "0" * 32
    ceremony.save()
    refused(Code.CEREMONY_OTHER_MACHINE, players().act, ceremony, ceremony.seats.get(key="leader"))


@COMMITTED
def test_a_rehearsal_goes_on_after_its_machine_ended_and_leaves_no_folder(office, node, refused):
    ceremony = players().play(planned(office, "keys.generate"), up_to=3)
    number = ceremony.number
    pid = int((folder_of(number) / "pid").read_text())
    fingerprint = rehearsal_machine(number).describe().fingerprint
    rehearsals._handles[number].stop()
    assert rehearsal_machine(number).describe().fingerprint == fingerprint
    assert int((folder_of(number) / "pid").read_text()) != pid
    assert players().play(ceremony_numbered(office.leader, number)).state == "done"
    assert not folder_of(number).exists()
    left = planned(office, "keys.generate")
    rehearsal_machine(left.number)
    assert sweep_rehearsals() == 0
    Ceremony.objects.filter(pk=left.pk).update(state="expired")
    assert sweep_rehearsals() == 1 and not folder_of(left.number).exists()
    end_test_machine(left.number)


@PLAIN
def test_the_same_script_is_rehearsed_with_cards_too(office, node):
    people, asked = players(pin="246810"), {}
    for kind in ("keys.export", "keys.import", "machine.back_up", "machine.restore"):
        asked |= {"threshold": 2} if kind.startswith("machine") else {}
        ceremony = people.play(planned(office, kind, **asked))
        assert (kind, ceremony.state) == (kind, "done")
        asked["backup"] = ceremony.number
    assert not Key.objects.exists()


@PLAIN
@pytest.mark.req("K3")
def test_a_city_holds_its_own_ceremony_and_the_ministry_does_not_see_it(appoint, node, refused):
    city = office_of(appoint, "460100")
    ceremony = planned(city, "keys.generate")
    ministry = office_of(appoint, "000000")
    refused(Code.CEREMONY_UNKNOWN, ceremony_numbered, ministry.leader, ceremony.number)
