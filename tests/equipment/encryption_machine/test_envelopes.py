"""Key envelopes: the right machine opens the right one, once; each wrong one has its own refusal (K1-K3, K6)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheka.equipment.encryption_machine import envelopes
from sheka.equipment.encryption_machine.envelopes import open_envelope, read_envelope, seal_envelope
from sheka.equipment.encryption_machine.machine import SoftwareMachine
from sheka.equipment.encryption_machine.model import KeyInfo, Usage, Verb
from sheka.equipment.encryption_machine.rights import Caller, Rights
from sheka.equipment.encryption_machine.wire import Batch
from sheka.foundation.crypto import sm2
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

CALLER = Caller("officer", Rights.everything())
FACTOR = b"46000017"


class Machine:
    """A machine in this process, its verbs by name."""

    def __init__(self, folder: Path) -> None:
        self._machine = SoftwareMachine(folder, b"s" * 32)
        self.close = self._machine.close
        self.public: bytes = self(Verb.PUBLIC_KEY)

    def __call__(self, verb: Verb, *arguments: Any) -> Any:
        return self._machine.call(CALLER, verb, list(arguments))


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Machine]]:
    """The ministry, Hainan and Guangdong, each knowing the ministry."""
    made = {name: Machine(tmp_path_factory.mktemp(name) / "store") for name in ("ministry", "hainan", "guangdong")}
    ministry = made["ministry"]
    for name, owner in (("hainan", "460000"), ("guangdong", "")):
        ministry(Verb.REGISTER_PEER, name, made[name].public, owner)
        made[name](Verb.REGISTER_PEER, "ministry", ministry.public, "")
    yield made
    for machine in made.values():
        machine.close()


@pytest.fixture
def sub_key(machines: dict[str, Machine], name: str) -> KeyInfo:
    """A provincial sub-key in the ministry's machine."""
    ministry = machines["ministry"]
    root = ministry(Verb.GENERATE, name, 3, "DIVERSIFY", 1, "000000", 1)
    found: KeyInfo = ministry(Verb.DERIVE, root.ref, FACTOR, "", "460000", "DIVERSIFY", 0, 1)
    return found


@pytest.mark.req("K2")
@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda algorithm: algorithm.name)
def test_a_sub_key_arrives_whole_with_everything_known_about_it(
    machines: dict[str, Machine], name: str, algorithm: Algorithm
) -> None:
    ministry, hainan = machines["ministry"], machines["hainan"]
    root = ministry(Verb.GENERATE, name, int(algorithm), "DIVERSIFY", 2, "000000", 1)
    sent = ministry(Verb.DERIVE, root.ref, FACTOR, "", "460000", "DIVERSIFY", 0, 1)
    envelope = ministry(Verb.EXPORT_ENVELOPE, sent.ref, hainan.public)
    got = hainan(Verb.IMPORT_ENVELOPE, envelope, ministry.public, name, "460000")
    for attribute in ("name", "algorithm", "usage", "version", "owner", "check_value", "factor", "diversified"):
        assert getattr(got, attribute) == getattr(sent, attribute)
    assert (got.origin, got.parent) == ("imported", "")
    city = Batch(b"46010017", 8)
    assert hainan(Verb.CHECK_VALUES, got.ref, city).raw == ministry(Verb.CHECK_VALUES, sent.ref, city).raw
    (entry,) = [line for line in hainan(Verb.LOG, 1, 1000) if got.ref in line]
    assert json.loads(entry)["facts"]["sender"] == "ministry"
    assert read_envelope(envelope).identifier in ministry(Verb.LOG, 1, 1000)[-1]


@pytest.mark.req("K6")
def test_the_same_envelope_imports_once_even_after_the_key_was_destroyed(
    machines: dict[str, Machine], sub_key: KeyInfo
) -> None:
    ministry, hainan = machines["ministry"], machines["hainan"]
    envelope = ministry(Verb.EXPORT_ENVELOPE, sub_key.ref, hainan.public)
    got = hainan(Verb.IMPORT_ENVELOPE, envelope, ministry.public, "", "")
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            hainan(Verb.IMPORT_ENVELOPE, envelope, ministry.public, "", "")
        assert refusal.value.code is Code.MACHINE_ENVELOPE_REPLAYED
        assert refusal.value.facts["ref"] == got.ref
        if not hainan(Verb.KEY, got.ref).destroyed:
            hainan(Verb.DESTROY, got.ref)
    another = ministry(Verb.EXPORT_ENVELOPE, sub_key.ref, hainan.public)
    with pytest.raises(Refused) as refusal:
        hainan(Verb.IMPORT_ENVELOPE, another, ministry.public, "", "")
    assert refusal.value.code is Code.MACHINE_KEY_EXISTS


@pytest.mark.req("K3")
def test_each_wrong_envelope_has_its_own_refusal(machines: dict[str, Machine], sub_key: KeyInfo) -> None:
    ministry, hainan, guangdong = machines["ministry"], machines["hainan"], machines["guangdong"]
    envelope = ministry(Verb.EXPORT_ENVELOPE, sub_key.ref, hainan.public)
    stranger = sm2.generate_private()
    forged = seal_envelope(stranger, hainan.public, secrets.token_bytes(16), sub_key)
    before = len(hainan(Verb.LIST_KEYS))
    for code, attempt in [
        (Code.MACHINE_ENVELOPE_RECIPIENT, lambda: guangdong(Verb.IMPORT_ENVELOPE, envelope, ministry.public, "", "")),
        (Code.MACHINE_ENVELOPE_SENDER, lambda: hainan(Verb.IMPORT_ENVELOPE, forged, ministry.public, "", "")),
        (Code.MACHINE_PEER_UNKNOWN, lambda: hainan(Verb.IMPORT_ENVELOPE, forged, sm2.public_of(stranger), "", "")),
        (Code.MACHINE_PEER_UNKNOWN, lambda: hainan(Verb.IMPORT_ENVELOPE, envelope, guangdong.public, "", "")),
        (Code.MACHINE_ENVELOPE_OWNER, lambda: hainan(Verb.IMPORT_ENVELOPE, envelope, ministry.public, "", "440000")),
        (Code.MACHINE_ENVELOPE_NAME, lambda: hainan(Verb.IMPORT_ENVELOPE, envelope, ministry.public, "PUK", "")),
        (Code.MACHINE_ENVELOPE_MALFORMED, lambda: hainan(Verb.IMPORT_ENVELOPE, b"", ministry.public, "", "")),
        (Code.MACHINE_ENVELOPE_MALFORMED, lambda: hainan(Verb.IMPORT_ENVELOPE, bytes(999), ministry.public, "", "")),
    ]:
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.code is code
    assert len(hainan(Verb.LIST_KEYS)) == before
    assert hainan(Verb.IMPORT_ENVELOPE, envelope, ministry.public, sub_key.name, "460000")


@pytest.mark.req("K1")
def test_a_key_goes_only_to_a_registered_machine_of_its_owner(
    machines: dict[str, Machine], sub_key: KeyInfo, name: str
) -> None:
    ministry, hainan = machines["ministry"], machines["hainan"]
    stranger = sm2.public_of(sm2.generate_private())
    with pytest.raises(Refused) as unknown:
        ministry(Verb.EXPORT_ENVELOPE, sub_key.ref, stranger)
    assert unknown.value.code is Code.MACHINE_PEER_UNKNOWN
    assert envelopes.fingerprint(stranger) in str(unknown.value)
    other = ministry(Verb.GENERATE, name, 3, "MAC", 1, "440000", 0)
    with pytest.raises(Refused) as misdirected:
        ministry(Verb.EXPORT_ENVELOPE, other.ref, hainan.public)
    assert misdirected.value.code is Code.MACHINE_PEER_OWNER


@pytest.mark.req("K6")
def test_a_peer_that_was_removed_gets_and_brings_nothing(machines: dict[str, Machine], sub_key: KeyInfo) -> None:
    ministry, hainan = machines["ministry"], machines["hainan"]
    envelope = ministry(Verb.EXPORT_ENVELOPE, sub_key.ref, hainan.public)
    hainan(Verb.REMOVE_PEER, "ministry")
    with pytest.raises(Refused) as refusal:
        hainan(Verb.IMPORT_ENVELOPE, envelope, ministry.public, "", "")
    assert refusal.value.code is Code.MACHINE_PEER_UNKNOWN
    with pytest.raises(Refused):
        hainan(Verb.REMOVE_PEER, "ministry")
    hainan(Verb.REGISTER_PEER, "ministry", ministry.public, "440000")
    with pytest.raises(Refused) as narrowed:
        hainan(Verb.IMPORT_ENVELOPE, envelope, ministry.public, "", "")
    assert narrowed.value.code is Code.MACHINE_PEER_OWNER
    for again in ("ministry", "another name"):
        with pytest.raises(Refused) as taken:
            hainan(Verb.REGISTER_PEER, again, ministry.public, "")
        assert taken.value.code is Code.MACHINE_PEER_EXISTS
    hainan(Verb.REMOVE_PEER, "ministry")
    hainan(Verb.REGISTER_PEER, "ministry", ministry.public, "")
    assert hainan(Verb.IMPORT_ENVELOPE, envelope, ministry.public, "", "")


@pytest.mark.parametrize("public", [b"", bytes(65), b"\x04" + bytes(64), b"\x04" + b"\x11" * 64])
def test_only_a_point_of_the_curve_is_a_peer(machines: dict[str, Machine], name: str, public: bytes) -> None:
    before = machines["ministry"](Verb.PEERS)
    with pytest.raises(Refused) as refusal:
        machines["ministry"](Verb.REGISTER_PEER, name, public, "")
    assert refusal.value.code is Code.CRYPTO_SM2_KEY
    assert machines["ministry"](Verb.PEERS) == before


SENDER, RECIPIENT = sm2.generate_private(), sm2.generate_private()
KEY = secrets.token_bytes(16)
INFO = KeyInfo("", "IRK", Algorithm.SM4, Usage.AUTHENTICATE, 1, "460100", "", factor="34363031", diversified=True)
ENVELOPE = seal_envelope(SENDER, sm2.public_of(RECIPIENT), KEY, INFO)


def opened(envelope: bytes) -> bytes:
    return open_envelope(read_envelope(envelope), RECIPIENT, sm2.public_of(SENDER))


def test_an_envelope_opens_to_the_key_and_shows_nothing_of_it() -> None:
    assert opened(ENVELOPE) == KEY
    assert KEY not in ENVELOPE and KEY[:8] not in ENVELOPE
    found = read_envelope(ENVELOPE).info
    assert (found.name, found.usage, found.owner, found.factor) == ("IRK", Usage.AUTHENTICATE, "460100", "34363031")
    assert seal_envelope(SENDER, sm2.public_of(RECIPIENT), KEY, INFO) != ENVELOPE


@pytest.mark.req("K6")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.integers(0, len(ENVELOPE) - 1), change=st.integers(1, 255))
def test_no_byte_of_an_envelope_can_be_changed(place: int, change: int) -> None:
    changed = bytearray(ENVELOPE)
    changed[place] ^= change
    with pytest.raises(Refused) as refusal:
        opened(bytes(changed))
    assert refusal.value.code in (
        Code.MACHINE_ENVELOPE_MALFORMED,
        Code.MACHINE_ENVELOPE_SENDER,
        Code.MACHINE_ENVELOPE_TAMPERED,
    )


@settings(max_examples=50, deadline=None)
@given(cut=st.integers(0, len(ENVELOPE) - 1), junk=st.binary(max_size=20))
def test_no_envelope_can_be_cut_or_lengthened(cut: int, junk: bytes) -> None:
    for changed in (ENVELOPE[:cut] + junk, ENVELOPE + junk + b"x"):
        with pytest.raises(Refused):
            opened(changed)


def resigned(change: Callable[[dict[str, Any]], None]) -> bytes:
    """An envelope whose attributes its own sender changed after sealing: the signature is right, the rest is not."""
    found = read_envelope(ENVELOPE)
    attributes = json.loads(found.attributes)
    change(attributes)
    from sheka.equipment.encryption_machine.wire import BLOB, encode
    from sheka.foundation.canonical import canonical

    parts = (canonical(attributes), found.session, found.nonce, found.sealed)
    signed = b"SHEKA-KEY-1\n" + encode((BLOB, BLOB, BLOB, BLOB), parts)
    return signed + sm2.sign(SENDER, signed, identity=envelopes.IDENTITY)


@pytest.mark.req("K6")
@pytest.mark.parametrize(
    ("name", "value"),
    [("usage", "ENCRYPT"), ("owner", "440000"), ("version", 2), ("algorithm", 1), ("check_value", "00000000")],
)
def test_attributes_are_bound_to_the_key_itself(name: str, value: object) -> None:
    with pytest.raises(Refused) as refusal:
        opened(resigned(lambda attributes: attributes.update({name: value})))
    assert refusal.value.code is Code.MACHINE_ENVELOPE_TAMPERED
    assert refusal.value.facts["what"] == "cipher"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("usage", "ALL"),
        ("algorithm", 2),
        ("algorithm", "SM4"),
        ("version", 0),
        ("version", True),
        ("name", ""),
        ("name", 5),
        ("owner", "a\nb"),
        ("factor", "xyz"),
        ("sender", "not hex"),
        ("id", "short"),
        ("diversified", 1),
    ],
)
def test_attributes_that_make_no_sense_are_malformed(name: str, value: object) -> None:
    with pytest.raises(Refused) as refusal:
        read_envelope(resigned(lambda attributes: attributes.update({name: value})))
    assert refusal.value.code is Code.MACHINE_ENVELOPE_MALFORMED


@pytest.mark.parametrize("usage", [Usage.DIVERSIFY, Usage.AUTHENTICATE])
def test_an_envelope_cannot_make_a_level_key_usable_as_it_is(usage: Usage) -> None:
    info = KeyInfo("", "IRK", Algorithm.SM4, usage, 1, "460100", "", diversified=False)
    assert read_envelope(seal_envelope(SENDER, sm2.public_of(RECIPIENT), KEY, info)).info.diversified


def test_a_key_whose_check_value_is_wrong_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(envelopes, "check_value", lambda algorithm, key: b"\0\0\0\0")
        wrong = seal_envelope(SENDER, sm2.public_of(RECIPIENT), KEY, INFO)
    with pytest.raises(Refused) as refusal:
        opened(wrong)
    assert refusal.value.code is Code.MACHINE_ENVELOPE_TAMPERED
    assert refusal.value.facts["what"] == "check value"
