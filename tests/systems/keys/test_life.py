"""The life of a key: rotation beside old cards, retirement, destruction, what an incident does to it (K1, K6, K9)."""

from __future__ import annotations

import pytest
from django.utils import timezone
from tests.support.keys import HAIKOU, HAINAN, MINISTRY, SM4

from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.refusals import Code, Refused
from sheka.office.messages.delivery import carry_all
from sheka.office.staff.actors import Actor
from sheka.office.work.models import WorkItem
from sheka.systems.keys import uses
from sheka.systems.keys.actions.propose_generation import propose_generation
from sheka.systems.keys.actions.propose_key_step import propose_destruction, propose_retirement
from sheka.systems.keys.catalogue import entries, generated_at
from sheka.systems.keys.incidents import FreezeKey, rotation
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Consignment, Key, Machine
from sheka.systems.keys.queries import card_keys, key_named, newest_version
from sheka.systems.keys.states import KEY

INCIDENT = "I-2026-0001"


def refusal(verb):
    with pytest.raises(Refused) as caught:
        verb()
    return caught.value.code


@pytest.fixture
def carried(monkeypatch):
    """carried[version] = how many unexpired cards have it."""
    counts = {}
    monkeypatch.setitem(uses._counters, "cards", lambda place, algorithm, version, today: counts.get(version, 0))
    return counts


@pytest.fixture
def city(tree):
    """A whole set of a version in the register of Haikou, as imports and ceremonies would leave it."""

    def make(version=1, state="active"):
        return Key.objects.bulk_create(
            Key(
                organisation_id=HAIKOU,
                name=entry.name,
                algorithm=SM4,
                version=version,
                usage=Usage.AUTHENTICATE,
                owner_level=entry.owner_level,
                reference=f"{entry.name}-{version}",
                check_value="0A0B0C0D",
                origin="imported",
                state=state,
                since=timezone.now(),
            )
            for entry in entries()
        )

    return make


@pytest.mark.req("K1")
def test_new_cards_get_the_newest_whole_version_while_old_ones_go_on(city):
    city(1)
    assert newest_version(HAIKOU, SM4) == 1
    second = city(2)
    assert newest_version(HAIKOU, SM4) == 2
    Key.objects.filter(pk=second[0].pk).update(state="distributed")
    assert newest_version(HAIKOU, SM4) == 1, "a set with a gap makes no card"
    assert {key.version for key in card_keys(HAIKOU, SM4).values()} == {1}
    Key.objects.filter(pk=second[0].pk).update(state="active")
    assert {key.version for key in card_keys(HAIKOU, SM4).values()} == {2}
    assert key_named(HAIKOU, "IRK", SM4, 1).version == 1


@pytest.mark.req("K1")
@pytest.mark.req("K3")
def test_a_rotation_goes_through_generation_and_activation(world):
    world.generate(HAIKOU)
    world.activate(HAIKOU)
    assert {key.version for key in world.generate(HAIKOU, version=2)} == {2}
    assert {key.state for key in world.activate(HAIKOU, version=2)} == {"active"}
    versions = Key.objects.filter(organisation_id=HAIKOU, name="UK9DF01", state="active")
    assert set(versions.values_list("version", flat=True)) == {1, 2}
    made = Key.objects.get(organisation_id=HAIKOU, name="UK9DF01", version=2)
    assert [step.verb for step in made.moves.all()] == ["plan", "generate", "activate"]
    again = refusal(lambda: propose_generation(world.officer[HAIKOU], algorithm=SM4, version=2))
    beyond = refusal(lambda: propose_generation(world.officer[HAIKOU], algorithm=SM4, version=4))
    assert (again, beyond) == (Code.KEY_NAMES, Code.KEY_VERSION)


@pytest.mark.req("K1")
def test_a_version_retires_when_no_card_needs_it_or_with_a_reason(world, carried):
    world.generate(HAIKOU)
    world.activate(HAIKOU)
    carried[1] = 3
    officer = world.officer[HAIKOU]
    assert refusal(lambda: propose_retirement(officer, algorithm=SM4, version=1)) is Code.KEY_IN_USE
    carried[1] = 0
    asked = propose_retirement(officer, algorithm=SM4, version=1)
    carried[1] = 1
    assert refusal(lambda: world.consent(asked)) is Code.KEY_IN_USE
    assert Key.objects.filter(organisation_id=HAIKOU, state="active").exists()
    forced = propose_retirement(officer, algorithm=SM4, version=1, reason="密钥疑似泄露")
    world.consent(forced)
    assert set(Key.objects.filter(organisation_id=HAIKOU).values_list("state", flat=True)) == {"retired"}


@pytest.mark.req("K1")
@pytest.mark.req("K2")
def test_above_a_version_retires_after_the_level_below_and_is_then_destroyed(world):
    world.generate(MINISTRY, names=["IRK"])
    world.pass_down(MINISTRY, HAINAN, world.card())
    upper, lower = world.officer[MINISTRY], world.officer[HAINAN]
    assert refusal(lambda: propose_retirement(upper, algorithm=SM4, version=1)) is Code.KEY_USED_BELOW
    world.consent(propose_retirement(lower, algorithm=SM4, version=1))
    carry_all()
    assert Consignment.objects.get(held_by_id=MINISTRY).retired_on == timezone.localdate()
    world.consent(propose_retirement(upper, algorithm=SM4, version=1))
    destroyed = world.destroy(MINISTRY)
    assert [(key.name, key.state) for key in destroyed] == [("IRK", "destroyed")]
    left = [info.name for info in machine_of(MINISTRY).list_keys() if not info.destroyed]
    assert not [name for name in left if name.startswith("IRK")], "neither the root nor the sub-key for Hainan"


def test_only_retired_keys_are_destroyed_and_never_without_a_reason(world):
    world.generate(HAIKOU, names=["UK9DF01"])
    officer = world.officer[HAIKOU]
    early = refusal(lambda: propose_destruction(officer, algorithm=SM4, version=1, reason="no longer needed"))
    silent = refusal(lambda: propose_destruction(officer, algorithm=SM4, version=1, reason=" "))
    assert (early, silent) == (Code.KEY_SET_EMPTY, Code.KEY_REASON)


@pytest.mark.req("K9")
def test_a_suspended_key_stops_at_the_next_call_of_the_machine(world):
    world.generate(HAINAN, names=["PUK"])
    key = Key.objects.get(organisation_id=HAINAN, name="PUK")
    line, desk = machine_of(HAINAN), Actor.process(f"incident:{INCIDENT}", HAINAN)
    line.derive(key.reference, bytes(7) + b"\1", name="before", owner=HAINAN)
    FreezeKey.freeze(desk, key.label, INCIDENT)
    FreezeKey.freeze(desk, key.label, INCIDENT)
    assert refusal(lambda: line.derive(key.reference, bytes(7) + b"\2", name="x", owner=HAINAN)) is Code.KEY_SUSPENDED
    assert line.check_values(key.reference, [bytes(7) + b"\1"]), "comparing is no use of the key"
    assert refusal(lambda: key_named(HAINAN, "PUK", SM4)) is Code.KEY_SUSPENDED
    FreezeKey.thaw(desk, key.label, "I-2026-0002")
    assert Key.objects.get(pk=key.pk).state == "suspended", "another incident lets nothing go"
    FreezeKey.thaw(desk, key.label, INCIDENT)
    assert Key.objects.get(pk=key.pk).state == "generated"
    assert Machine.objects.get(organisation_id=HAINAN).stopped == []
    line.derive(key.reference, bytes(7) + b"\3", name="after", owner=HAINAN)


@pytest.mark.req("K9")
def test_a_card_of_a_suspended_key_is_neither_made_nor_proved(city):
    city(1)
    desk = Actor.process(f"incident:{INCIDENT}", HAIKOU)
    assert [thing.name for thing in FreezeKey.find(desk, "IR")] == ["IRK.SM4.1"]
    FreezeKey.freeze(desk, "IRK.SM4.1", INCIDENT)
    assert refusal(lambda: card_keys(HAIKOU, SM4, 1)) is Code.KEY_SUSPENDED
    assert refusal(lambda: key_named(HAIKOU, "IRK", SM4)) is Code.KEY_SUSPENDED
    assert refusal(lambda: FreezeKey.freeze(desk, "NONE.SM4.1", INCIDENT)) is Code.KEY_UNKNOWN


@pytest.mark.req("K9")
def test_the_plan_asks_for_a_rotation_which_the_new_version_ends(world):
    world.generate(HAIKOU, names=["UK9DF01"])
    world.activate(HAIKOU, names=["UK9DF01"])
    desk = Actor.process(f"incident:{INCIDENT}", HAIKOU)
    said = rotation(desk, "key:UK9DF01.SM4.1", INCIDENT)
    assert INCIDENT in said
    waiting = WorkItem.objects.filter(kind="key.rotate").exclude(state="done")
    assert waiting.count() == 1
    world.generate(HAIKOU, version=2)
    world.activate(HAIKOU, version=2)
    assert not waiting.exists()


@pytest.mark.req("K9")
def test_a_lost_carrier_asks_for_the_rotation_of_what_was_on_it(world):
    world.generate(MINISTRY, names=["IRK"])
    serial = world.card()
    world.export(MINISTRY, HAINAN, serial)
    desk = Actor.process(f"incident:{INCIDENT}", MINISTRY)
    assert "SM4" in rotation(desk, f"carrier:{serial}", INCIDENT)
    assert rotation(desk, "carrier:none", INCIDENT) == "-"


def test_every_state_can_be_reached_and_left_as_the_table_says():
    assert set(KEY.states) == {"planned", "generated", "distributed", "active", "suspended", "retired", "destroyed"}
    assert KEY.verbs("destroyed") == ()
    assert all(name in generated_at("ministry") for name in ("IRK", "DPK"))
