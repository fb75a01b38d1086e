"""The reader without a wire (H4): a virtual card in the same process, for one-by-one production and for tests."""

from __future__ import annotations

from sheka.equipment.card_reader.reader import Chip
from sheka.foundation.refusals import Code, Refused


class InProcessReader:
    """A slot that holds a virtual card. The card can be taken out (`remove`) in the middle of a session."""

    def __init__(self, card: Chip | None, name: str = "in-process") -> None:
        self._card = card
        self._powered = False
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def connect(self) -> bytes:
        """The card's answer to reset; Refused(READER_NO_CARD) when the slot is empty or the chip is dead."""
        if self._card is None:
            raise Refused(Code.READER_NO_CARD, reader=self._name)
        atr = self._card.power_on()
        if not atr:
            raise Refused(Code.READER_CARD_MUTE, reader=self._name)
        self._powered = True
        return atr

    def transmit(self, apdu: bytes) -> bytes:
        if self._card is None or not self._powered:
            raise Refused(Code.READER_CARD_LOST, reader=self._name)
        answer = self._card.transmit(apdu)
        if len(answer) < 2:
            raise Refused(Code.READER_CARD_LOST, reader=self._name)
        return answer

    def disconnect(self) -> None:
        if self._card is not None and self._powered:
            self._card.power_off()
        self._powered = False

    def remove(self) -> None:
        """Pull the card out, powered or not."""
        self.disconnect()
        self._card = None

    def insert(self, card: Chip) -> None:
        """Put another card in; the one before is powered down first."""
        self.disconnect()
        self._card = card
