"""Key carrier cards with a real machine on the other side: PIN, envelopes, contents, cuts (K2, K5, H4)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.key_carrier import CarriedKey, CarrierContents, KeyCarrierSession
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.initialisation.carrier_drawer import MAKER, CarrierDrawer
from sheka.equipment.initialisation.device_keys import MachineCarrierKeys, carrier_keys, psam_keys, take_in
from sheka.equipment.initialisation.maker import MasterKey
from sheka.foundation.chip.devices.profile import DeviceKind
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

PIN = "258036"


@pytest.fixture(scope="module")
def drawer(machine: EncryptionMachine, tmp_path_factory: pytest.TempPathFactory) -> CarrierDrawer:
    found = CarrierDrawer(tmp_path_factory.mktemp("carriers") / "carriers", sync=False)
    found.maker.name = "maker-of-carriers"
    assert {info.name for info in take_in(machine, found.maker)} == {"KT-SM4", "KT-TDES", "KM-SM4", "KP-SM4"}
    return found


@pytest.fixture(scope="module")
def keys(machine: EncryptionMachine, drawer: CarrierDrawer) -> MachineCarrierKeys:
    return carrier_keys(machine, drawer.maker.name)


@pytest.fixture(scope="module")
def recipient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EncryptionMachine]:
    secret = secrets.token_bytes(32)
    handle = start_machine(tmp_path_factory.mktemp("recipient"), callers={"city": secret})
    try:
        with handle.client("city") as client:
            yield client
    finally:
        handle.stop()


@pytest.fixture(scope="module")
def envelopes(machine: EncryptionMachine, recipient: EncryptionMachine) -> list[bytes]:
    """Three sub-keys on their way."""
    machine.register_peer("recipient", recipient.public_key())
    recipient.register_peer("sender", machine.public_key())
    found = []
    for name in ("CARRIED-A", "CARRIED-B", "CARRIED-C"):
        root = machine.generate(name, Algorithm.SM4, Usage.DIVERSIFY, owner="000000")
        sub = machine.derive(root.ref, b"46000000", owner="460000")
        found.append(machine.export_envelope(sub.ref, recipient.public_key()))
    return found


@pytest.fixture
def serial(drawer: CarrierDrawer, keys: MachineCarrierKeys) -> str:
    """A transmission key card whose PIN was changed."""
    (made,) = drawer.manufacture(DeviceKind.TRANSMISSION_KEY_CARD, 1)
    with KeyCarrierSession(drawer.reader(made), keys) as session:
        session.change_pin("000000", PIN)
    return made


def refusal(verb: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        verb()
    return caught.value


@pytest.mark.req("K2", "K5")
def test_envelopes_go_from_machine_to_machine_on_the_card(
    drawer: CarrierDrawer,
    keys: MachineCarrierKeys,
    serial: str,
    envelopes: list[bytes],
    machine: EncryptionMachine,
    recipient: EncryptionMachine,
) -> None:
    with KeyCarrierSession(drawer.reader(serial), keys) as session:
        session.authenticate(PIN)
        assert session.contents() == CarrierContents("", ())
        written = session.write_envelopes(envelopes, "000000 → 460000")
    assert [(item.name, item.version, item.owner) for item in written.items] == [
        (name, 1, "460000") for name in ("CARRIED-A", "CARRIED-B", "CARRIED-C")
    ]
    take_in(recipient, drawer.maker)
    with KeyCarrierSession(drawer.reader(serial), carrier_keys(recipient, drawer.maker.name)) as session:
        session.authenticate(PIN)
        assert session.contents() == written
        carried = session.read_envelopes()
        assert carried == envelopes
        for envelope, item in zip(carried, written.items, strict=True):
            taken = recipient.import_envelope(envelope, machine.public_key())
            assert taken.check_value == item.check_value
        session.erase()
        assert session.contents() == CarrierContents("", ())
        assert refusal(session.read_envelopes).code is Code.CARRIER_EMPTY


@pytest.mark.req("K5")
def test_a_card_says_without_a_pin_what_it_is_and_nothing_of_what_it_carries(
    drawer: CarrierDrawer, keys: MachineCarrierKeys, serial: str, envelopes: list[bytes]
) -> None:
    with KeyCarrierSession(drawer.reader(serial), keys) as session:
        state = session.state()
        assert (state.serial, state.kind, state.tries_left) == (serial, DeviceKind.TRANSMISSION_KEY_CARD, 3)
        assert not state.must_change_pin
        verbs = (session.contents, session.read_envelopes, session.erase, lambda: session.write_envelopes([], "x"))
        for verb in verbs:
            assert refusal(verb).code is Code.CARRIER_PIN_NEEDED


@pytest.mark.req("K5")
def test_wrong_pins_are_counted_and_the_third_locks_for_good(drawer: CarrierDrawer, keys: MachineCarrierKeys) -> None:
    (made,) = drawer.manufacture("key_mother_card", 1)
    with KeyCarrierSession(drawer.reader(made), keys) as session:
        assert session.state().must_change_pin
        assert refusal(lambda: session.authenticate("000000")).code is Code.CARRIER_PIN_INITIAL
        assert refusal(lambda: session.change_pin("000000", "000000")).code is Code.CARRIER_PIN_SAME
        assert refusal(lambda: session.change_pin("000000", "12345")).code is Code.CHIP_PIN_FORM
        session.change_pin("000000", PIN)
        first, second = (refusal(lambda: session.authenticate("111111")) for _ in range(2))
        assert [first.facts["left"], second.facts["left"]] == [2, 1]
        assert "111111" not in str(first)
        assert refusal(lambda: session.authenticate("111111")).code is Code.CARRIER_PIN_LOCKED
    with KeyCarrierSession(drawer.reader(made), keys) as session:
        assert refusal(lambda: session.authenticate(PIN)).code is Code.CARRIER_PIN_LOCKED
        assert session.state().tries_left == 0


@pytest.mark.req("K5")
def test_a_machine_with_other_keys_gets_nothing_and_costs_no_try(
    drawer: CarrierDrawer, keys: MachineCarrierKeys, serial: str, machine: EncryptionMachine, tmp_path: Path
) -> None:
    stranger = CarrierDrawer(tmp_path / "stranger", sync=False)
    stranger.maker.name = "stranger"
    take_in(machine, stranger.maker)
    with KeyCarrierSession(drawer.reader(serial), carrier_keys(machine, "stranger")) as session:
        for _ in range(4):
            assert refusal(lambda: session.authenticate(PIN)).code is Code.CARRIER_KEYS_DIFFER
        assert session.state().tries_left == 3


class Meddling(InProcessReader):
    """Changes a byte of every long answer on the way."""

    meddle = False

    def transmit(self, apdu: bytes) -> bytes:
        answer = super().transmit(apdu)
        return bytes([answer[0] ^ 1]) + answer[1:] if self.meddle and len(answer) > 12 else answer


@pytest.mark.req("K2", "K5")
def test_an_answer_that_was_changed_on_the_way_is_found(
    drawer: CarrierDrawer, keys: MachineCarrierKeys, serial: str, envelopes: list[bytes]
) -> None:
    reader = Meddling(drawer.chip(serial))
    with KeyCarrierSession(reader, keys) as session:
        session.authenticate(PIN)
        session.write_envelopes(envelopes, "x")
        reader.meddle = True
        assert refusal(session.read_envelopes).code is Code.CARRIER_KEYS_DIFFER


class CutReader(InProcessReader):
    """The power fails before command number `left` of the conversation."""

    left = -1

    def transmit(self, apdu: bytes) -> bytes:
        if self.left == 0:
            self.disconnect()
        self.left -= 1
        return super().transmit(apdu)


@pytest.mark.req("K2", "K5")
def test_power_cut_in_the_middle_of_writing_leaves_the_old_content_or_the_new(
    drawer: CarrierDrawer, keys: MachineCarrierKeys, serial: str, envelopes: list[bytes]
) -> None:
    old, new = envelopes[:1], envelopes[1:]
    with KeyCarrierSession(drawer.reader(serial), keys) as session:
        session.authenticate(PIN)
        session.write_envelopes(old, "old")
    seen, cut = set(), 0
    while "new" not in seen:
        reader = CutReader(drawer.chip(serial))
        with KeyCarrierSession(reader, keys) as session:
            session.authenticate(PIN)
            reader.left = cut
            try:
                session.write_envelopes(new, "new")
            except Refused as refused:
                assert refused.code is Code.READER_CARD_LOST
        with KeyCarrierSession(drawer.reader(serial), keys) as session:
            session.authenticate(PIN)
            label = session.contents().label
            assert session.read_envelopes() == {"old": old, "new": new}[label]
        seen.add(label)
        cut += 3
    assert seen == {"old", "new"}


@pytest.mark.req("K6")
def test_a_master_key_card_carries_a_custodians_share(drawer: CarrierDrawer, keys: MachineCarrierKeys) -> None:
    (made,) = drawer.manufacture(DeviceKind.MASTER_KEY_CARD, 1)
    share, said = secrets.token_bytes(120), [CarriedKey("SEAL-SHARE-2", 1, "SM4", "A1B2C3D4", "460100")]
    with KeyCarrierSession(drawer.reader(made), keys) as session:
        session.change_pin("000000", PIN)
        session.authenticate(PIN)
        assert refusal(lambda: session.write_envelopes([share], "x")).code is Code.MACHINE_ENVELOPE_MALFORMED
        session.write_envelopes([share], "保管人二", contents=said)
        assert (session.contents().items, session.read_envelopes()) == (tuple(said), [share])
        for pieces in ([share] * 9, [bytes(40_000)], [b""]):
            wrong = refusal(lambda pieces=pieces: session.write_envelopes(pieces, "x", contents=said * len(pieces)))
            assert wrong.code is Code.CARRIER_TOO_MUCH
        assert refusal(lambda: session.write_envelopes([share], "x", contents=[])).code is Code.CARRIER_TOO_MUCH
        assert session.read_envelopes() == [share]


def test_another_card_in_the_reader_is_no_carrier(
    city: object, drawer: CarrierDrawer, keys: MachineCarrierKeys
) -> None:
    (psam,) = drawer.manufacture("psam", 1)
    wrong = refusal(KeyCarrierSession(drawer.reader(psam), keys).open)
    assert wrong.code is Code.CARRIER_NOT_ONE
    session = KeyCarrierSession(drawer.reader(psam), keys)
    assert refusal(lambda: session.profile).code is Code.READER_NO_CARD


@pytest.mark.req("K5")
def test_a_drawer_numbers_finds_and_destroys(drawer: CarrierDrawer, tmp_path: Path) -> None:
    first = drawer.manufacture("psam", 2)
    assert len({*first, *drawer.manufacture("psam", 2)}) == 4
    assert set(first) <= set(drawer.serials("psam"))
    assert drawer.kind_of(first[0]) is DeviceKind.PSAM
    assert oct((drawer.folder / "psam" / f"{first[0]}.chip").stat().st_mode)[-3:] == "600"
    assert oct(drawer.folder.stat().st_mode)[-3:] == "700"
    drawer.destroy(first[0])
    assert first[0] not in drawer.serials("psam")
    for verb in (lambda: drawer.reader(first[0]), lambda: drawer.destroy(first[0]), lambda: drawer.chip("../x")):
        assert refusal(verb).code is Code.DRAWER_CARRIER_UNKNOWN
    assert refusal(lambda: drawer.manufacture("purse", 1)).code is Code.CHIP_PROFILE_UNKNOWN
    grave = drawer.folder / "destroyed" / f"{first[1]}.chip"
    (drawer.folder / "psam" / grave.name).rename(grave)  # cut off after the first step
    drawer.destroy(first[1])
    assert not grave.exists()
    assert CarrierDrawer(tmp_path / "none").serials("psam") == []


def test_a_drawer_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert refusal(lambda: CarrierDrawer(tmp_path / "file").manufacture("psam", 1)).code is Code.DRAWER_FAILED


@pytest.mark.req("K5")
def test_the_makers_keys_come_once_and_only_with_its_check_value(
    machine: EncryptionMachine, drawer: CarrierDrawer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert take_in(machine, drawer.maker) == []
    for wanted in (carrier_keys, psam_keys):
        assert refusal(lambda wanted=wanted: wanted(machine, MAKER)).code is Code.DEVICE_KEYS_MISSING
    other = CarrierDrawer(tmp_path / "other", sync=False).maker
    other.name = "false-maker"
    monkeypatch.setattr(other, "check_value", lambda algorithm, master=MasterKey.TRANSPORT: "00000000")
    assert refusal(lambda: take_in(machine, other)).code is Code.DEVICE_KEY_DIFFERS
    assert all(key.destroyed for key in machine.list_keys() if key.owner == "false-maker")
