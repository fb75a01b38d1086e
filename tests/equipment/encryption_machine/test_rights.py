"""Every caller's rights, allowed and denied: verbs, key usages, key owners (K6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import MachineHandle, start_machine
from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.equipment.encryption_machine.rights import SWITCH, Rights
from sheka.foundation.chip.authentication import Settlement
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

EIGHT = b"46010017"
DEAL = [Settlement((0, 1, 1), bytes(6), bytes(7))]
NOTHING = "0" * 32

CALLS: dict[Verb, Callable[[EncryptionMachine], Any]] = {
    Verb.DESCRIBE: lambda machine: machine.describe(),
    Verb.LIST_KEYS: lambda machine: machine.list_keys(),
    Verb.KEY: lambda machine: machine.key(NOTHING),
    Verb.GENERATE: lambda machine: machine.generate("", Algorithm.SM4, Usage.MAC),
    Verb.DERIVE: lambda machine: machine.derive(NOTHING, EIGHT),
    Verb.DESTROY: lambda machine: machine.destroy(NOTHING),
    Verb.CHECK_VALUES: lambda machine: machine.check_values(NOTHING, []),
    Verb.CRYPTOGRAMS: lambda machine: machine.cryptograms(NOTHING, None, []),
    Verb.INTERNAL_AUTHENTICATION: lambda machine: machine.internal_authentication(NOTHING, [], []),
    Verb.EXTERNAL_AUTHENTICATION: lambda machine: machine.external_authentication(NOTHING, [], []),
    Verb.CARD_AUTHENTICATION_CODES: lambda machine: machine.card_authentication_codes(NOTHING, [], []),
    Verb.MACS: lambda machine: machine.macs(NOTHING, None, []),
    Verb.MACS_OF: lambda machine: machine.macs_of([]),
    Verb.VERIFY_MACS: lambda machine: machine.verify_macs([]),
    Verb.VERIFY_DIVERSIFIED_MACS: lambda machine: machine.verify_diversified_macs(NOTHING, None, [], []),
    Verb.WRAP_FOR_CHIPS: lambda machine: machine.wrap_for_chips([], [], NOTHING, None),
    Verb.WRAP_FOR_CHIP: lambda machine: machine.wrap_for_chip([], [], [], b"", NOTHING, b"", EIGHT),
    Verb.WRAP_DIVERSIFIED: lambda machine: machine.wrap_diversified_raw(NOTHING, b"", NOTHING),
    Verb.VERIFY_TACS: lambda machine: machine.verify_tacs(NOTHING, [], [], [], []),
    Verb.MAC1: lambda machine: machine.mac1(NOTHING, [], [], []),
    Verb.VERIFY_MAC2: lambda machine: machine.verify_mac2(NOTHING, [], [], [], []),
    Verb.VERIFY_MAC1: lambda machine: machine.verify_mac1(NOTHING, [], [], [], []),
    Verb.WRAP_FOR_LINE: lambda machine: machine.wrap_for_line(NOTHING, [], NOTHING),
    Verb.PIN_VALUES: lambda machine: machine.pin_values(NOTHING, [], [], [], NOTHING, []),
    Verb.VERIFY_PINS: lambda machine: machine.verify_pins(NOTHING, [], [], [], NOTHING, [], []),
    Verb.TRANSLATE_PINS: lambda machine: machine.translate_pins(NOTHING, [], [], [], NOTHING, []),
    Verb.PUBLIC_KEY: lambda machine: machine.public_key(),
    Verb.SIGN: lambda machine: machine.sign(b"m"),
    Verb.EXPORT_ENVELOPE: lambda machine: machine.export_envelope(NOTHING, bytes(65)),
    Verb.IMPORT_ENVELOPE: lambda machine: machine.import_envelope(b"", bytes(65)),
    Verb.REGISTER_PEER: lambda machine: machine.register_peer("", b""),
    Verb.PEERS: lambda machine: machine.peers(),
    Verb.REMOVE_PEER: lambda machine: machine.remove_peer("nobody"),
    Verb.VERIFY_LOG: lambda machine: machine.verify_log(),
    Verb.LOG: lambda machine: machine.log(),
    Verb.ENTRY_KEY: lambda machine: machine.entry_key(),
    Verb.UNSEAL: lambda machine: machine.unseal(1, b"", b""),
    Verb.SEAL: lambda machine: machine.seal(),
    Verb.SHARE_OUT: lambda machine: machine.offer_shares(2, []),
    Verb.CONFIRM_SHARES: lambda machine: machine.confirm_shares(b""),
    Verb.BACK_UP: lambda machine: machine.back_up(2, []),
    Verb.RESTORE: lambda machine: machine.restore(b""),
    Verb.BEGIN_COMPONENTS: lambda machine: machine.begin_components("", Algorithm.SM4, Usage.MAC),
    Verb.ENTER_COMPONENT: lambda machine: machine.enter_component(NOTHING, 1, b"", b""),
    Verb.FINISH_COMPONENTS: lambda machine: machine.finish_components(NOTHING),
    Verb.CANCEL_COMPONENTS: lambda machine: machine.cancel_components(NOTHING),
    Verb.GENERATE_COMPONENTS: lambda machine: machine.generate_components(Algorithm.SM4, "xor", 2, 2, []),
}
SECRET = b"one secret for every caller here"

NARROWED = {
    "everything": Rights.everything(),
    "macs-only": Rights.of(Verb, {Usage.MAC}),
    "haikou-only": Rights.of(Verb, Usage, {"460100"}),
    "switch": SWITCH,
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MachineHandle]:
    rights = {f"only {verb.name}": Rights.of({verb}) for verb in Verb}
    rights |= {f"all but {verb.name}": Rights.of(set(Verb) - {verb}) for verb in Verb}
    rights |= NARROWED
    handle = start_machine(tmp_path_factory.mktemp("rights"), callers=dict.fromkeys(rights, SECRET), rights=rights)
    yield handle
    handle.stop()


def outcome(call: Callable[[EncryptionMachine], Any], machine: EncryptionMachine) -> Code | None:
    try:
        call(machine)
    except Refused as refusal:
        return refusal.code
    return None


def test_the_list_of_calls_is_complete() -> None:
    assert set(CALLS) == set(Verb)


@pytest.mark.req("K6")
@pytest.mark.parametrize("verb", list(Verb), ids=lambda verb: verb.name)
def test_a_caller_does_the_verbs_it_was_given_and_no_other(guarded: MachineHandle, verb: Verb) -> None:
    denied = Code.MACHINE_VERB_DENIED
    with guarded.client(f"only {verb.name}") as machine:
        for other, call in CALLS.items():
            assert (outcome(call, machine) is denied) == (other is not verb), other
    with guarded.client(f"all but {verb.name}") as machine:
        assert outcome(CALLS[verb], machine) is denied
        assert outcome(CALLS[Verb.DESCRIBE if verb is not Verb.DESCRIBE else Verb.PEERS], machine) is None


@pytest.mark.req("K6")
def test_keys_of_other_usages_are_out_of_reach_and_out_of_sight(guarded: MachineHandle) -> None:
    with guarded.client("everything") as machine, guarded.client("macs-only") as narrow:
        irk = machine.generate("IRK", Algorithm.SM4, Usage.AUTHENTICATE)
        kek = machine.generate("KEK", Algorithm.SM4, Usage.WRAP)
        mac = narrow.generate("ZMK", Algorithm.SM4, Usage.MAC)
        root = machine.generate("ROOT", Algorithm.SM4, Usage.DIVERSIFY)
        for call in (
            lambda: narrow.key(irk.ref),
            lambda: narrow.destroy(irk.ref),
            lambda: narrow.internal_authentication(irk.ref, [EIGHT], [EIGHT]),
            lambda: narrow.generate("X", Algorithm.SM4, Usage.ENCRYPT),
            lambda: narrow.derive(root.ref, EIGHT, usage=Usage.MAC),
            lambda: narrow.wrap_for_chips([mac.ref], [EIGHT], kek.ref, None),
            lambda: narrow.export_envelope(irk.ref, machine.public_key()),
        ):
            with pytest.raises(Refused) as refusal:
                call()
            assert refusal.value.code is Code.MACHINE_USAGE_DENIED
        assert {info.usage for info in narrow.list_keys()} == {Usage.MAC}
        assert len(narrow.macs(mac.ref, None, [b"m"])) == 1


@pytest.mark.req("K3")
def test_keys_of_other_owners_are_out_of_reach_and_out_of_sight(guarded: MachineHandle) -> None:
    with guarded.client("everything") as machine, guarded.client("haikou-only") as haikou:
        other = machine.generate("RK1DF01", Algorithm.SM4, Usage.MAC, owner="460200")
        parent = machine.generate("RK1DF04", Algorithm.SM4, Usage.DIVERSIFY, owner="460100")
        own = haikou.derive(parent.ref, EIGHT, name="RK1DF01", usage=Usage.MAC, diversified=False)
        for call in (
            lambda: haikou.key(other.ref),
            lambda: haikou.macs(other.ref, None, [b"m"]),
            lambda: haikou.destroy(other.ref),
            lambda: haikou.generate("UK1", Algorithm.SM4, Usage.MAC, owner="460200"),
            lambda: haikou.generate("UK1", Algorithm.SM4, Usage.MAC),
            lambda: haikou.derive(parent.ref, EIGHT, owner="460200"),
            lambda: haikou.verify_macs([(own.ref, b"m", bytes(4)), (other.ref, b"m", bytes(4))]),
        ):
            with pytest.raises(Refused) as refusal:
                call()
            assert refusal.value.code is Code.MACHINE_OWNER_DENIED
        assert {info.owner for info in haikou.list_keys()} == {"460100"}
        assert haikou.verify_macs([(own.ref, b"m", haikou.macs(own.ref, None, [b"m"])[0])]) == [True]


@pytest.mark.req("K6")
def test_the_switch_checks_macs_and_can_make_or_move_no_key(guarded: MachineHandle) -> None:
    with guarded.client("everything") as machine, guarded.client("switch") as switch:
        key = machine.generate("TAK", Algorithm.SM4, Usage.MAC)
        (mac,) = switch.macs_of([(key.ref, b"0200")])
        assert switch.verify_macs([(key.ref, b"0200", mac)]) == [True]
        for verb in (Verb.GENERATE, Verb.DERIVE, Verb.DESTROY, Verb.EXPORT_ENVELOPE, Verb.REGISTER_PEER, Verb.SIGN):
            assert outcome(CALLS[verb], switch) is Code.MACHINE_VERB_DENIED
