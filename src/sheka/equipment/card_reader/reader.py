"""What a card reader is, whichever way the chip is reached (H4): power up, exchange command and answer, power down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Chip(Protocol):
    """The card's side of a reader's contacts: what a virtual card offers to a transport."""

    def power_on(self) -> bytes:
        """Power up and reset; the answer to reset (2 to 33 bytes), empty when the chip is dead."""

    def power_off(self) -> None:
        """Cut the power: everything that the chip held in RAM is gone."""

    def transmit(self, apdu: bytes) -> bytes:
        """One command APDU in, data followed by the two status bytes out; never raises."""


class Reader(Protocol):
    """A slot with a card in it. Not thread-safe: a card has one conversation at a time."""

    @property
    def name(self) -> str:
        """What the operator calls it."""

    def connect(self) -> bytes:
        """Power the card up and give its answer to reset.

        Raises Refused of the 2200 range when there is no reader, no card, or the card does not answer.
        """

    def transmit(self, apdu: bytes) -> bytes:
        """Send one command APDU; data followed by the two status bytes. 61xx and 6Cxx come back as they are.

        Raises Refused(READER_CARD_LOST) when the card left or stopped answering.
        """

    def disconnect(self) -> None:
        """Power the card down. A second call changes nothing."""


@contextmanager
def powered(reader: Reader) -> Iterator[bytes]:
    """`with powered(reader) as atr:` powers the card up, and down again whatever happens in between."""
    atr = reader.connect()
    try:
        yield atr
    finally:
        reader.disconnect()
