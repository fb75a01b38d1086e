"""The national key system on three machines: two people, one level at a time, matching check values (K1-K3, K6)."""

from __future__ import annotations

import pytest
from tests.support.approvals import decided

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.messages.delivery import carry_all
from sheka.systems.keys.actions.distribute_keys import distribute_keys
from sheka.systems.keys.actions.generate_keys import generate_keys
from sheka.systems.keys.actions.import_keys import import_keys
from sheka.systems.keys.actions.propose_generation import propose_generation
from sheka.systems.keys.actions.register_machine import register_machine, trust_machine
from sheka.systems.keys.catalogue import entries, generated_at
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Delivery, Key
from sheka.systems.keys.queries import card_keys

LEVELS = {"000000": "ministry", "460000": "province", "460100": "city"}


@pytest.fixture
def officers(appoint, machines):
    """A key officer and a key approver at each level; the machines know each other."""
    people = {}
    for code in LEVELS:
        people[code] = appoint(f"officer-{code}", code, "key_officer")
        people[code, "approver"] = appoint(f"approver-{code}", code, "approver")
    prints = {code: register_machine(people[code]).fingerprint for code in LEVELS}
    for upper, lower in (("000000", "460000"), ("460000", "460100")):
        trust_machine(people[upper], of=lower, fingerprint=prints[lower])
        trust_machine(people[lower], of=upper, fingerprint=prints[upper])
    return people


def generate(officers, code, algorithm=Algorithm.SM4):
    proposal = propose_generation(officers[code], algorithm=algorithm)
    decided(officers[code, "approver"], proposal)
    return generate_keys(officers[code], proposal_id=proposal.pk)


def pass_down(officers, upper, lower, algorithm=Algorithm.SM4):
    distribute_keys(officers[upper], to=lower, algorithm=algorithm)
    carry_all()
    keys = import_keys(officers[lower])
    carry_all()
    return keys


@pytest.mark.req("K1")
@pytest.mark.req("K2")
@pytest.mark.req("K3")
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_every_card_key_reaches_the_city_with_the_check_value_that_was_sent(officers, algorithm):
    for code in LEVELS:
        generate(officers, code, algorithm)
    pass_down(officers, "000000", "460000", algorithm)
    pass_down(officers, "460000", "460100", algorithm)
    held = card_keys("460100", algorithm)
    assert set(held) == {entry.name for entry in entries()}
    sent = dict(Delivery.objects.filter(held_by_id="460000", sender="460000").values_list("name", "check_value"))
    assert {name: held[name].check_value for name in sent} == sent
    states = set(Delivery.objects.filter(sender__in=["000000", "460000"]).values_list("state", flat=True))
    assert states == {"acknowledged", "imported"}


@pytest.mark.req("K2")
def test_the_check_value_is_that_of_the_same_derivation_one_level_up(officers):
    generate(officers, "000000")
    imported = {key.name: key for key in pass_down(officers, "000000", "460000")}
    root = Key.objects.get(organisation_id="000000", name="IRK", algorithm=Algorithm.SM4)
    expected = machine_of("000000").check_values(root.reference, [bytes.fromhex(imported["IRK"].factor)])
    assert [imported["IRK"].check_value] == expected
    assert imported["IRK"].parent_check_value == root.check_value


@pytest.mark.req("K3")
def test_each_level_generates_the_keys_that_belong_to_it(officers):
    for code, level in LEVELS.items():
        made = generate(officers, code)
        assert {key.name for key in made} == set(generated_at(level))
        assert {key.origin for key in made} == {"generated"}
    assert set(generated_at("ministry")) & {"IRK", "RKSSSE"} == {"IRK", "RKSSSE"}


@pytest.mark.req("K6")
def test_nothing_is_generated_without_the_consent_of_a_second_person(officers, appoint):
    second_officer = appoint("officer-2", "000000", "key_officer")
    proposal = propose_generation(officers["000000"], algorithm=Algorithm.SM4)
    with pytest.raises(Refused) as alone:
        generate_keys(officers["000000"], proposal_id=proposal.pk)
    with pytest.raises(Refused) as own:
        decided(officers["000000"], proposal)
    with pytest.raises(Refused) as other_role:
        decided(second_officer, proposal)
    assert [case.value.code for case in (alone, own, other_role)] == [
        Code.STATE_FORBIDS,
        Code.APPROVAL_OWN,
        Code.PERMISSION_MISSING,
    ]
    assert machine_of("000000").list_keys() == []


@pytest.mark.req("K2")
def test_nobody_skips_a_level_or_sends_sideways(officers):
    generate(officers, "000000")
    for to in ("460100", "000000", "460200"):
        with pytest.raises(Refused) as refused:
            distribute_keys(officers["000000"], to=to, algorithm=Algorithm.SM4)
        assert refused.value.code is Code.KEY_NOT_SUBORDINATE


@pytest.mark.req("K2")
def test_a_sub_key_is_imported_once_and_only_when_something_came(officers):
    generate(officers, "000000")
    with pytest.raises(Refused) as early:
        import_keys(officers["460000"])
    pass_down(officers, "000000", "460000")
    with pytest.raises(Refused) as twice:
        import_keys(officers["460000"])
    assert {early.value.code, twice.value.code} == {Code.KEY_NOTHING_RECEIVED}


def test_a_machine_is_trusted_by_its_fingerprint_only(officers):
    with pytest.raises(Refused) as refused:
        trust_machine(officers["000000"], of="460000", fingerprint="00" * 16)
    assert refused.value.code is Code.KEY_FINGERPRINT


def test_a_city_with_missing_keys_makes_no_cards(officers):
    generate(officers, "460100")
    with pytest.raises(Refused) as refused:
        card_keys("460100", Algorithm.SM4)
    assert refused.value.code is Code.KEY_SET_INCOMPLETE
    assert "IRK" in refused.value.facts["missing"]
