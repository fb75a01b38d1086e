"""PC/SC readers (H4) through pyscard and the system's service (pcscd on Linux, the smart card service elsewhere).

pyscard compiles against the system's PC/SC, so it is an extra: without it, and without the service, a numbered refusal
says what to install. A connection is exclusive: between an external authentication and the write that it permits, no
other program can speak to the card.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from sheka.foundation.refusals import Code, Refused

_SW_BYTES = 2


def _scard() -> ModuleType:
    try:
        from smartcard import scard
    except ImportError as error:
        raise Refused(Code.READER_EXTRA_MISSING) from error
    return scard  # type: ignore[no-any-return]


class _Context:
    """A conversation with the PC/SC service; released when done."""

    def __init__(self) -> None:
        self.api = _scard()
        result, self.handle = self.api.SCardEstablishContext(self.api.SCARD_SCOPE_USER)
        if result != self.api.SCARD_S_SUCCESS:
            raise Refused(Code.READER_SERVICE_ABSENT, why=self.message(result))

    def message(self, result: int) -> str:
        """The service's own words for a result."""
        return f"{result & 0xFFFFFFFF:08X} {self.api.SCardGetErrorMessage(result)}"

    def readers(self) -> list[str]:
        """The names of all readers, in the service's order."""
        result, names = self.api.SCardListReaders(self.handle, [])
        if result == self.api.SCARD_E_NO_READERS_AVAILABLE:
            return []
        if result != self.api.SCARD_S_SUCCESS:
            raise Refused(Code.READER_SERVICE_ABSENT, why=self.message(result))
        return list(names)

    def release(self) -> None:
        self.api.SCardReleaseContext(self.handle)


def list_readers() -> list[str]:
    """The names of the PC/SC readers, in the service's order.

    Raises Refused(READER_EXTRA_MISSING) without pyscard, Refused(READER_SERVICE_ABSENT) without the service.
    """
    context = _Context()
    try:
        return context.readers()
    finally:
        context.release()


class PcscReader:
    """A PC/SC reader by number (0 is the first) or by name (whole, or a part that only one reader has)."""

    def __init__(self, which: int | str = 0) -> None:
        self._which = which
        self._context: _Context | None = None
        self._card: Any = None
        self._protocol = 0
        self._name = str(which)

    @property
    def name(self) -> str:
        return self._name

    def connect(self) -> bytes:
        """Power the card up in the reader, for this program alone; its answer to reset.

        Raises Refused: READER_EXTRA_MISSING, READER_SERVICE_ABSENT, READER_NOT_FOUND, READER_NO_CARD, READER_BUSY,
        READER_CARD_MUTE.
        """
        self.disconnect()
        self._context = _Context()
        try:
            self._name = self._find(self._context.readers())
            return self._power_up(self._context)
        except Refused:
            self.disconnect()
            raise

    def transmit(self, apdu: bytes) -> bytes:
        context = self._context
        if context is None or self._card is None:
            raise Refused(Code.READER_CARD_LOST, reader=self._name)
        api = context.api
        header = api.SCARD_PCI_T0
        if self._protocol == api.SCARD_PROTOCOL_T0:
            apdu = without_le(apdu)
        else:
            header = api.SCARD_PCI_T1
        result, answer = api.SCardTransmit(self._card, header, list(apdu))
        if result != api.SCARD_S_SUCCESS or len(answer) < _SW_BYTES:
            raise Refused(Code.READER_CARD_LOST, reader=self._name)
        return bytes(octet & 0xFF for octet in answer)

    def disconnect(self) -> None:
        context, card = self._context, self._card
        self._context = self._card = None
        if context is None:
            return
        if card is not None:
            context.api.SCardDisconnect(card, context.api.SCARD_UNPOWER_CARD)
        context.release()

    def _find(self, names: list[str]) -> str:
        if isinstance(self._which, int):
            if 0 <= self._which < len(names):
                return names[self._which]
        else:
            found = [name for name in names if name == self._which] or [name for name in names if self._which in name]
            if len(found) == 1:
                return found[0]
        raise Refused(Code.READER_NOT_FOUND, reader=self._which, found=", ".join(names) or "-")

    def _power_up(self, context: _Context) -> bytes:
        api = context.api
        result, card, self._protocol = api.SCardConnect(
            context.handle, self._name, api.SCARD_SHARE_EXCLUSIVE, api.SCARD_PROTOCOL_T0 | api.SCARD_PROTOCOL_T1
        )
        if result != api.SCARD_S_SUCCESS:
            raise Refused(self._reason(api, result), reader=self._name, why=context.message(result))
        self._card = card
        result, _, _, _, atr = api.SCardStatus(card)
        if result != api.SCARD_S_SUCCESS or not atr:
            raise Refused(Code.READER_CARD_MUTE, reader=self._name, why=context.message(result))
        return bytes(octet & 0xFF for octet in atr)

    @staticmethod
    def _reason(api: ModuleType, result: int) -> Code:
        if result in (api.SCARD_E_NO_SMARTCARD, api.SCARD_W_REMOVED_CARD):
            return Code.READER_NO_CARD
        if result == api.SCARD_E_SHARING_VIOLATION:
            return Code.READER_BUSY
        if result in (api.SCARD_E_UNKNOWN_READER, api.SCARD_E_READER_UNAVAILABLE):
            return Code.READER_NOT_FOUND
        return Code.READER_CARD_MUTE


def without_le(apdu: bytes) -> bytes:
    """A command for T=0, whose transport has no Le on a command with data: the answer is fetched by GET RESPONSE.

    >>> without_le(bytes.fromhex("0088000008 0102030405060708 08")).hex()
    '00880000080102030405060708'
    >>> without_le(bytes.fromhex("00B2010412")).hex()
    '00b2010412'
    """
    header = 5
    if len(apdu) > header and len(apdu) == header + apdu[4] + 1:
        return apdu[:-1]
    return apdu
