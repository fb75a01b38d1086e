"""Framing and chip data: pieces of a stream become messages, and a lie about the length costs the sender, not us."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.iso8583 import chip_data
from sheka.foundation.iso8583.framing import MAXIMUM_BYTES, frame, split
from sheka.foundation.refusals import Code, Refused


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=6), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_a_stream_cut_anywhere_gives_the_same_messages(bodies, cuts) -> None:
    stream = b"".join(map(frame, bodies))
    buffer, found, at, turn = bytearray(), [], 0, 0
    while at < len(stream):
        piece = stream[at : at + cuts[turn % len(cuts)]]
        at += len(piece)
        turn += 1
        buffer += piece
        found += split(buffer)
    assert found == bodies
    assert not buffer


def test_a_length_beyond_the_limit_is_refused_at_once() -> None:
    with pytest.raises(Refused) as refusal:
        split(bytearray((MAXIMUM_BYTES + 1).to_bytes(2)))
    assert refusal.value.code is Code.MESSAGE_TOO_LONG
    with pytest.raises(Refused):
        frame(bytes(MAXIMUM_BYTES + 1))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0x82, 0x9F26, 0x9F37, 0x9F36, 0x5A, 0xDF01]), st.binary(max_size=200)), max_size=5
    )
)
def test_chip_data_keeps_every_tag_known_or_not(items) -> None:
    assert chip_data.unpack(chip_data.pack(items)) == items


@pytest.mark.parametrize("broken", ["9F", "9F26", "9F2605AABB", "9F268201FF", "9F818101AA", "9F2681"])
def test_broken_chip_data_is_refused(broken) -> None:
    with pytest.raises(Refused) as refusal:
        chip_data.unpack(bytes.fromhex(broken))
    assert refusal.value.facts["field"] == 55
    with pytest.raises(Refused):
        chip_data.pack([(0x82, bytes(256))])
