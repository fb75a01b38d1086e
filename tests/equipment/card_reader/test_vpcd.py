"""The card's side of vpcd against a peer that speaks the reader's side: no PC/SC program sees a card without it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from sheka.equipment.card_reader import vpcd
from sheka.foundation.refusals import Code, Refused

ATR = bytes.fromhex("3B6D000000814A46868660460000000135")
OFF, ON, RESET, GET_ATR = (bytes([octet]) for octet in (0, 1, 2, 4))


@dataclass
class RecordingChip:
    """Notes what the transport does to a chip; answers every command with its own bytes and 9000."""

    events: list[str] = field(default_factory=list)
    atr: bytes = ATR

    def power_on(self) -> bytes:
        self.events.append("on")
        return self.atr

    def power_off(self) -> None:
        self.events.append("off")

    def transmit(self, apdu: bytes) -> bytes:
        self.events.append(apdu.hex())
        return apdu + b"\x90\x00"


class ReaderSide:
    """The reader's half of vpcd: listens, takes one card at a time."""

    def __init__(self, port: int = 0) -> None:
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(5)
        self.port: int = self.listener.getsockname()[1]
        self.wire: socket.socket | None = None

    def accept(self) -> None:
        self.wire, _ = self.listener.accept()
        self.wire.settimeout(5)

    def send(self, message: bytes, *, torn: bool = False) -> None:
        assert self.wire is not None
        framed = struct.pack(">H", len(message)) + message
        for part in [framed[i : i + 1] for i in range(len(framed))] if torn else [framed]:
            self.wire.sendall(part)

    def receive(self) -> bytes:
        assert self.wire is not None
        (length,) = struct.unpack(">H", self._exactly(2))
        return self._exactly(length)

    def _exactly(self, length: int) -> bytes:
        assert self.wire is not None
        got = b""
        while len(got) < length:
            part = self.wire.recv(length - len(got))
            if not part:
                raise EOFError
            got += part
        return got

    def ask(self, message: bytes) -> bytes:
        self.send(message)
        return self.receive()

    def hang_up(self) -> None:
        if self.wire is not None:
            self.wire.close()
            self.wire = None

    def close(self) -> None:
        self.hang_up()
        self.listener.close()


@pytest.fixture
def reader_side() -> Iterator[ReaderSide]:
    side = ReaderSide()
    yield side
    side.close()


@contextlib.contextmanager
def inserted(chip: RecordingChip, side: ReaderSide) -> Iterator[vpcd.Inserted]:
    card = vpcd.Inserted(chip, "127.0.0.1", side.port).start()
    try:
        side.accept()
        yield card
    finally:
        card.remove()


@pytest.mark.req("H4")
def test_polling_for_presence_powers_the_chip_once_only(reader_side: ReaderSide) -> None:
    """pcscd asks for the ATR all the time: if that reset the chip, every session would lose its authentication."""
    chip = RecordingChip()
    with inserted(chip, reader_side):
        assert reader_side.ask(GET_ATR) == ATR
        assert reader_side.ask(GET_ATR) == ATR
        assert chip.events == ["on", "off"]
        reader_side.send(ON)
        assert reader_side.ask(bytes.fromhex("00840000 08".replace(" ", ""))) == bytes.fromhex("0084000008 9000")
        assert reader_side.ask(GET_ATR) == ATR
        assert chip.events == ["on", "off", "on", "0084000008"]


def test_reset_and_power_off_reach_the_chip(reader_side: ReaderSide) -> None:
    chip = RecordingChip()
    with inserted(chip, reader_side):
        reader_side.send(ON)
        reader_side.send(RESET)
        reader_side.send(OFF)
        assert reader_side.ask(GET_ATR) == ATR
    assert chip.events == ["on", "off", "on", "off"]


def test_a_message_that_arrives_octet_by_octet_is_one_command(reader_side: ReaderSide) -> None:
    chip = RecordingChip()
    with inserted(chip, reader_side):
        reader_side.send(ON)
        reader_side.send(bytes.fromhex("00A4000002DDF1"), torn=True)
        assert reader_side.receive() == bytes.fromhex("00A4000002DDF19000")
    assert chip.events == ["on", "00a4000002ddf1", "off"]


def test_one_byte_that_is_no_control_goes_to_the_chip(reader_side: ReaderSide) -> None:
    chip = RecordingChip()
    with inserted(chip, reader_side):
        reader_side.send(ON)
        assert reader_side.ask(b"\x07") == b"\x07\x90\x00"
    assert "07" in chip.events


def test_the_card_comes_back_after_the_reader_restarts(reader_side: ReaderSide) -> None:
    """Restarting pcscd must not ask the operator to insert every virtual card again."""
    chip = RecordingChip()
    with inserted(chip, reader_side) as card:
        assert reader_side.ask(GET_ATR) == ATR
        reader_side.send(ON)
        reader_side.hang_up()
        reader_side.accept()
        reader_side.send(ON)
        assert reader_side.ask(GET_ATR) == ATR
        assert not card.wait_until_seated(0.1)
        assert reader_side.ask(GET_ATR) == ATR
        assert card.wait_until_seated(1)
    assert chip.events[:3] == ["on", "off", "on"]
    assert chip.events.count("on") == chip.events.count("off")


def test_removing_ends_the_connection_and_powers_down(reader_side: ReaderSide) -> None:
    chip = RecordingChip()
    with inserted(chip, reader_side) as card:
        reader_side.send(ON)
        assert reader_side.ask(b"\x00\x84\x00\x00\x04")[-2:] == b"\x90\x00"
        card.remove()
        card.remove()
        assert card.wait(0)
        with pytest.raises(EOFError):
            reader_side.receive()
    assert chip.events[-1] == "off"


def test_a_dead_chip_is_no_card(reader_side: ReaderSide) -> None:
    """A chip without an answer to reset must look to the reader like an empty slot, not hang it."""
    with inserted(RecordingChip(atr=b""), reader_side):
        reader_side.send(GET_ATR)
        with pytest.raises(EOFError):
            reader_side.receive()


def test_insert_refuses_when_no_reader_takes_the_card() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        before = threading.active_count()
        with pytest.raises(Refused) as refusal:
            vpcd.insert(RecordingChip(), port=port, seconds=0.3)
    assert refusal.value.code is Code.VPCD_UNREACHABLE
    assert str(port) in refusal.value.text("zh-Hans")
    assert threading.active_count() == before


def test_insert_returns_when_the_reader_has_noted_the_powered_card(reader_side: ReaderSide) -> None:
    """Before that a program would still find the slot empty: the reader notes a card after its answer to reset."""
    asked: list[bytes] = []
    noted = threading.Event()

    def reader() -> None:
        reader_side.accept()
        asked.append(reader_side.ask(GET_ATR))
        reader_side.send(ON)
        asked.append(reader_side.ask(GET_ATR))
        time.sleep(0.1)
        noted.set()
        asked.append(reader_side.ask(GET_ATR))

    peer = threading.Thread(target=reader)
    peer.start()
    with vpcd.insert(RecordingChip(), port=reader_side.port) as card:
        assert noted.is_set()
        peer.join()
        assert asked == [ATR, ATR, ATR]
        assert card.wait_until_seated(0)


def test_a_dead_chip_is_inserted_without_waiting_for_the_reader() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as deaf,
        vpcd.insert(RecordingChip(atr=b""), port=deaf.getsockname()[1]) as card,
    ):
        assert not card.wait_until_seated(0)
