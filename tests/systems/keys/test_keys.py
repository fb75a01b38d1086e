"""The national key system on three machines: two people, one level at a time, matching check values (K1-K3, K6)."""

from __future__ import annotations

import pytest
from tests.support.approvals import decided
from tests.support.keys import HAIKOU, HAINAN, LEVELS, MINISTRY, SM4, ceremony

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.keys.actions.generate_keys import generate_keys
from sheka.systems.keys.actions.propose_generation import propose_generation
from sheka.systems.keys.actions.propose_key_step import propose_export
from sheka.systems.keys.actions.register_machine import trust_machine
from sheka.systems.keys.catalogue import entries, generated_at
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Consignment, Key
from sheka.systems.keys.queries import card_keys


@pytest.mark.req("S1")
@pytest.mark.req("K1")
@pytest.mark.req("K2")
@pytest.mark.req("K3")
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_every_card_key_reaches_the_city_with_the_check_value_that_was_sent(world, algorithm):
    for code in LEVELS:
        world.generate(code, algorithm)
    serial = world.card()
    world.pass_down(MINISTRY, HAINAN, serial, algorithm)
    world.export(HAINAN, HAIKOU, serial, algorithm)
    world.carry(HAINAN, HAIKOU, serial)
    world.take(HAIKOU, serial)
    world.activate(HAIKOU, algorithm)
    held = card_keys(HAIKOU, algorithm)
    assert set(held) == {entry.name for entry in entries()}
    sent = Consignment.objects.get(held_by_id=HAINAN, sender=HAINAN)
    assert {row["name"]: held[row["name"]].check_value for row in sent.content} == {
        row["name"]: row["check_value"] for row in sent.content
    }
    states = set(Consignment.objects.values_list("held_by_id", "sender", "state"))
    assert states == {
        (MINISTRY, MINISTRY, "acknowledged"),
        (HAINAN, MINISTRY, "imported"),
        (HAINAN, HAINAN, "acknowledged"),
        (HAIKOU, HAINAN, "imported"),
    }
    assert set(
        Key.objects.filter(organisation_id=MINISTRY, owner_level="ministry").values_list("state", flat=True)
    ) == {"distributed"}


@pytest.mark.req("K2")
def test_the_check_value_is_that_of_the_same_derivation_one_level_up(world):
    world.generate(MINISTRY, names=["IRK", "STK"])
    imported = {key.name: key for key in world.pass_down(MINISTRY, HAINAN, world.card())}
    root = Key.objects.get(organisation_id=MINISTRY, name="IRK", algorithm=SM4)
    factor = bytes.fromhex(imported["IRK"].factor)
    assert machine_of(MINISTRY).check_values(root.reference, [factor]) == [imported["IRK"].check_value]
    assert imported["IRK"].parent_check_value == root.check_value


@pytest.mark.req("K3")
def test_each_level_generates_the_keys_that_belong_to_it(world):
    for code, level in LEVELS.items():
        made = world.generate(code)
        assert {key.name for key in made} == set(generated_at(level))
        assert {key.state for key in made} == {"generated"}
    assert set(generated_at("ministry")) & {"IRK", "RKSSSE"} == {"IRK", "RKSSSE"}
    with pytest.raises(Refused) as refused:
        propose_generation(world.officer[HAIKOU], algorithm=SM4, version=2, names=["IRK"])
    assert refused.value.code is Code.KEY_NAMES


@pytest.mark.req("K6")
def test_nothing_is_generated_without_the_consent_of_a_second_person(world, appoint):
    second_officer = appoint("officer-2", MINISTRY, "key_officer")
    proposal = propose_generation(world.officer[MINISTRY], algorithm=SM4)
    with pytest.raises(Refused) as alone:
        generate_keys(ceremony(MINISTRY), proposal_id=proposal.pk)
    with pytest.raises(Refused) as own:
        decided(world.officer[MINISTRY], proposal)
    with pytest.raises(Refused) as other_role:
        decided(second_officer, proposal)
    assert [case.value.code for case in (alone, own, other_role)] == [
        Code.STATE_FORBIDS,
        Code.APPROVAL_OWN,
        Code.PERMISSION_MISSING,
    ]
    assert machine_of(MINISTRY).list_keys() == []
    assert set(Key.objects.values_list("state", flat=True)) == {"planned"}


@pytest.mark.req("K6")
def test_only_a_ceremony_carries_out_what_was_approved(world):
    """A person, and any other process of the node, would get round the roster."""
    proposal = propose_generation(world.officer[MINISTRY], algorithm=SM4)
    world.consent(proposal)
    with pytest.raises(Refused) as person:
        generate_keys(world.officer[MINISTRY], proposal_id=proposal.pk)
    with pytest.raises(Refused) as process:
        generate_keys(Actor.process("jobs", MINISTRY), proposal_id=proposal.pk)
    assert (person.value.code, process.value.code) == (Code.PERMISSION_MISSING, Code.KEY_NOT_IN_CEREMONY)
    assert machine_of(MINISTRY).list_keys() == []


@pytest.mark.req("K6")
def test_a_key_that_an_interruption_left_in_the_machine_is_taken_up(world):
    proposal = propose_generation(world.officer[MINISTRY], algorithm=SM4, names=["IRK"])
    world.consent(proposal)
    left = machine_of(MINISTRY).generate("IRK.SM4", SM4, Key.objects.get(name="IRK").usage, owner=MINISTRY)
    made = generate_keys(ceremony(MINISTRY), proposal_id=proposal.pk)
    assert [key.reference for key in made] == [left.ref]


@pytest.mark.req("K2")
def test_nobody_skips_a_level_or_sends_sideways(world):
    world.generate(MINISTRY, names=["IRK"])
    for to in (HAIKOU, MINISTRY, "460200"):
        with pytest.raises(Refused) as refused:
            propose_export(world.officer[MINISTRY], to=to, algorithm=SM4)
        assert refused.value.code is Code.KEY_NOT_SUBORDINATE


def test_a_machine_is_trusted_by_its_fingerprint_only(world):
    with pytest.raises(Refused) as refused:
        trust_machine(world.officer[MINISTRY], of=HAINAN, fingerprint="00" * 16)
    assert refused.value.code is Code.KEY_FINGERPRINT


def test_a_city_with_missing_keys_makes_no_cards(world):
    world.generate(HAIKOU)
    with pytest.raises(Refused) as refused:
        card_keys(HAIKOU, SM4)
    assert refused.value.code is Code.KEY_SET_INCOMPLETE
    assert "IRK" in refused.value.facts["missing"]


@pytest.mark.req("K1")
def test_the_catalogue_says_of_every_key_of_the_card_who_owns_it_and_what_it_opens():
    found = {entry.name: entry for entry in entries()}
    assert found["IRK"].national and found["IRK"].purpose == "internal" and found["IRK"].versions == (1, 2, 3)
    assert found["RKSSSE"].reads and "SSSE/EF07" in found["RKSSSE"].reads
    assert found["UK1DF04"].writes == ("DF04/EF05",)
    assert found["UK9DF01"].owner_level == "city" and not found["UK9DF01"].national
    assert {entry.owner_level for entry in entries()} == set(LEVELS.values())
