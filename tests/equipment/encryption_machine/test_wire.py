"""Values and frames survive the line, and nothing malformed gets past their reading (H5)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.equipment.encryption_machine import calls, wire
from sheka.equipment.encryption_machine.addresses import Address
from sheka.equipment.encryption_machine.frames import Bare, FrameReader, Sealed, pack, unpack
from sheka.equipment.encryption_machine.model import (
    Backup,
    EntryKey,
    KeyInfo,
    LogFinding,
    MachineInfo,
    Peer,
    Progress,
    SharesOffered,
    Usage,
    Verb,
)
from sheka.equipment.encryption_machine.wire import Batch
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

TEXTS = st.text(max_size=40)
U32 = st.integers(0, 2**32 - 1)
ITEMS = st.lists(st.binary(max_size=40), max_size=30)
BATCHES = st.one_of(ITEMS, st.lists(st.binary(min_size=8, max_size=8), max_size=30)).map(Batch.of)
KEY_INFOS = st.builds(
    KeyInfo,
    ref=TEXTS,
    name=TEXTS,
    algorithm=st.sampled_from(Algorithm),
    usage=st.sampled_from(Usage),
    version=st.integers(0, 65535),
    owner=TEXTS,
    check_value=TEXTS,
    parent=TEXTS,
    factor=TEXTS,
    created=TEXTS,
    destroyed=TEXTS,
    origin=TEXTS,
    diversified=st.booleans(),
    movable=st.booleans(),
)
SMALL = st.integers(0, 255)
BLOBS = st.lists(st.binary(max_size=60), max_size=5)
MACHINE_INFOS = st.builds(
    MachineInfo,
    product=TEXTS,
    version=TEXTS,
    certificate=TEXTS,
    fingerprint=TEXTS,
    keys=U32,
    log_entries=U32,
    log_head=TEXTS,
    refused_logins=U32,
    started=TEXTS,
    sealed=st.booleans(),
    threshold=SMALL,
    holders=SMALL,
    presented=SMALL,
    came=st.lists(SMALL, max_size=5).map(tuple),
    driver=TEXTS,
    algorithms=st.lists(TEXTS, max_size=3).map(tuple),
)
BY_CODEC: dict[int, st.SearchStrategy[Any]] = {
    id(wire.U8): SMALL,
    id(wire.U16): st.integers(0, 65535),
    id(wire.U32): U32,
    id(wire.TEXT): TEXTS,
    id(wire.TEXTS): st.lists(TEXTS, max_size=5),
    id(wire.BLOB): st.binary(max_size=60),
    id(wire.BATCH): BATCHES,
    id(wire.OPTIONAL_BATCH): st.none() | BATCHES,
    id(wire.BOOLS): st.lists(st.booleans(), max_size=20),
    id(calls.KEY_INFO): KEY_INFOS,
    id(wire.BLOBS): BLOBS,
    id(wire.OCTETS): st.lists(SMALL, max_size=20).map(tuple),
    id(calls.MACHINE_INFO): MACHINE_INFOS,
    id(calls.ENTRY_KEY): st.builds(EntryKey, st.binary(max_size=20), st.binary(max_size=70)),
    id(calls.PROGRESS): st.builds(Progress, SMALL, SMALL, st.booleans()),
    id(calls.SHARES): st.builds(SharesOffered, st.binary(max_size=8), BLOBS),
    id(calls.BACKUP): st.builds(Backup, st.binary(max_size=80), BLOBS),
    id(calls.PEER): st.builds(Peer, TEXTS, TEXTS, TEXTS),
    id(calls.FINDING): st.builds(LogFinding, st.booleans(), U32, TEXTS, U32, TEXTS),
}


@given(items=ITEMS)
def test_a_batch_gives_its_items_back(items: list[bytes]) -> None:
    batch = Batch.of(items)
    assert batch.items() == items
    assert batch.count == len(items)


@settings(max_examples=20)
@given(data=st.data())
@pytest.mark.parametrize("verb", list(Verb), ids=lambda verb: verb.name)
def test_arguments_and_answers_of_every_verb_survive_the_line(verb: Verb, data: st.DataObject) -> None:
    call = calls.CALLS[verb]
    values = tuple(data.draw(BY_CODEC[id(codec)]) for codec in call.takes)
    assert wire.decode(call.takes, wire.encode(call.takes, values)) == list(values)
    answer = data.draw(BY_CODEC[id(call.gives)]) if id(call.gives) in BY_CODEC else []
    assert wire.decode((call.gives,), wire.encode((call.gives,), (answer,))) == [answer]


@settings(max_examples=20)
@given(payload=st.binary(max_size=200))
@pytest.mark.parametrize("verb", list(Verb), ids=lambda verb: verb.name)
def test_any_other_bytes_are_refused_or_read_and_never_crash(verb: Verb, payload: bytes) -> None:
    call = calls.CALLS[verb]
    for shape in (call.takes, (call.gives,)):
        try:
            values = wire.decode(shape, payload)
        except Refused as refusal:
            assert refusal.code is Code.MACHINE_FRAME_BAD
        else:
            assert len(values) == len(shape)


@pytest.mark.parametrize(
    "payload",
    [
        b"\0\0\0\1\xff\xff\xff\xff" + b"x" * 9,  # four billion items of one byte
        b"\xff\xff\xff\xfe\0\0\0\2x",  # two items of four gigabytes
        b"\0\0\0\0\xff\xff\xff\xff" + b"\0" * 64,  # a table of four billion lengths
        b"\0\0\0\0\0\0\0\1\xff\xff\xff\xff",  # one item of four gigabytes
        b"\xff\xff\xff\xff\0\0\0\1",  # no batch, yet one item
        b"\xff\xff\xff\xff\0\0\0\0",  # no batch where one must be
        b"",
    ],
)
def test_a_batch_cannot_claim_more_than_it_brings(payload: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        wire.decode((wire.BATCH,), payload)
    assert refusal.value.code is Code.MACHINE_FRAME_BAD


def test_a_batch_has_a_limit_of_items() -> None:
    many = wire.MAX_ITEMS + 1
    with pytest.raises(Refused) as refusal:
        wire.decode((wire.BATCH,), b"\0\0\0\1" + many.to_bytes(4, "big") + bytes(many))
    assert refusal.value.code is Code.MACHINE_FRAME_BAD


@given(name=st.text(max_size=20), value=st.text(max_size=100))
def test_a_refusal_arrives_as_it_left(name: str, value: str) -> None:
    sent = Refused(Code.MACHINE_KEY_UNKNOWN, ref="17", **{name: value} if name not in ("self", "code", "") else {})
    got = wire.decode_refusal(wire.encode_refusal(sent))
    assert (got.code, got.facts) == (sent.code, sent.facts)
    assert str(got) == str(sent)


def test_a_refusal_of_a_newer_machine_is_still_a_refusal() -> None:
    got = wire.decode_refusal((2399).to_bytes(2, "big") + b"\0")
    assert got.code is Code.MACHINE_FRAME_BAD
    assert "2399" in str(got)


@given(bodies=st.lists(st.binary(min_size=6, max_size=300), max_size=8), cut=st.integers(1, 50), data=st.data())
def test_frames_come_out_whole_however_the_line_cuts_them(bodies: list[bytes], cut: int, data: st.DataObject) -> None:
    guard = Bare()
    stream = b"".join(b"".join(pack(number, 7, body, guard)) for number, body in enumerate(bodies))
    pieces = [stream[at : at + cut] for at in range(0, len(stream), cut)]
    lost = data.draw(st.integers(0, len(stream)))

    def receive(source: list[bytes]) -> FrameReader:
        left = iter(source)
        return FrameReader(lambda most: next(left, b""))

    reader = receive(pieces)
    for number, body in enumerate(bodies):
        assert unpack(reader.read() or b"", guard) == (number, 7, body)
    assert reader.read() is None
    short = receive([stream[:lost]])
    with pytest.raises(EOFError):
        while short.read() is not None:
            pass
        if short.between_frames:
            raise EOFError


def test_a_frame_longer_than_allowed_is_refused_before_it_is_read() -> None:
    reader = FrameReader(lambda most: (5000).to_bytes(4, "big"))
    with pytest.raises(Refused) as refusal:
        reader.read(1024)
    assert refusal.value.code is Code.MACHINE_FRAME_TOO_LONG
    assert (refusal.value.facts["limit"], refusal.value.facts["got"]) == (1024, 5000)


def sealed_pair() -> tuple[Sealed, Sealed]:
    one, other = bytes(range(16)), bytes(range(16, 32))
    return Sealed(one, other), Sealed(other, one)


@given(payloads=st.lists(st.binary(max_size=100), min_size=1, max_size=5))
def test_sealed_frames_hide_their_content_and_open_in_order(payloads: list[bytes]) -> None:
    caller, machine = sealed_pair()
    for number, payload in enumerate(payloads):
        line = b"".join(pack(number, 21, payload, caller))
        assert len(payload) < 8 or payload not in line
        assert unpack(line[4:], machine) == (number, 21, payload)


@pytest.mark.parametrize("damage", ["changed", "repeated", "moved", "turned back", "cut"])
def test_a_sealed_frame_that_was_tampered_with_is_noticed(damage: str) -> None:
    caller, machine = sealed_pair()
    first, second = (b"".join(pack(number, 1, b"payload", caller))[4:] for number in (1, 2))
    if damage == "repeated":
        unpack(first, machine)
    line = {
        "changed": first[:-1] + bytes((first[-1] ^ 1,)),
        "repeated": first,
        "moved": second,
        "turned back": b"".join(pack(1, 1, b"payload", machine))[4:],
        "cut": first[:10],
    }[damage]
    with pytest.raises(Refused) as refusal:
        unpack(line, machine)
    assert refusal.value.code is Code.MACHINE_FRAME_BAD


@pytest.mark.parametrize("text", ["unix:/run/sheka/machine.sock", "tcp:127.0.0.1:7000", "tcp:machine.example:1"])
def test_an_address_reads_and_writes(text: str) -> None:
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "unix:", "tcp:host", "tcp::1", "tcp:host:70000", "tcp:host:٣", "http://x", "unix:/" + "long" * 30]
)
def test_another_address_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        Address.parse(text)
    assert refusal.value.code is Code.MACHINE_ADDRESS_BAD
