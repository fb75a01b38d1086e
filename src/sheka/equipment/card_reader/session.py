"""A session with one card: select, read, authenticate, PIN, write (H4, C1; card.md §5, §6).

The session holds no key and no formula of its own: cryptograms and MACs come from the caller's encryption machine. It
logs nothing; a refusal names the step and the card's status word, never a value of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from sheka.equipment.card_reader.channel import Channel, answered, meaning
from sheka.equipment.card_reader.identity import HolderIdentity, PublicIdentity
from sheka.equipment.card_reader.reader import Reader
from sheka.foundation.chip.apdu import Command, StatusWord
from sheka.foundation.chip.authentication import external_data
from sheka.foundation.chip.codec import (
    Value,
    decode_cyclic,
    decode_records,
    encode_cyclic,
    encode_record,
    encode_transparent,
)
from sheka.foundation.chip.declarations import FileDeclaration, FileKind
from sheka.foundation.chip.memory import Life
from sheka.foundation.chip.pins import pin_bytes
from sheka.foundation.chip.profile import CardProfile, load_profile
from sheka.foundation.chip.secure_messaging import CHALLENGE_BYTES as MAC_CHALLENGE_BYTES
from sheka.foundation.chip.secure_messaging import MacOf, protect
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

SSSE = "SSSE"
ISSUER_FILE = "SSSE/EF05"
HOLDER_FILE = "SSSE/EF06"
CHALLENGE_BYTES = 8

_SELECT, _READ_RECORD, _READ_BINARY, _CHALLENGE = 0xA4, 0xB2, 0xB0, 0x84
_UPDATE_RECORD, _UPDATE_BINARY, _APPEND_RECORD = 0xDC, 0xD6, 0xE2
_INTERNAL, _EXTERNAL, _VERIFY, _CHANGE_PIN = 0x88, 0x82, 0x20, 0x5E
_BY_AID, _BY_FID, _BY_NUMBER, _BY_TAG = 0x04, 0x00, 0x04, 0x00
_CHUNK = 0xF8
_TRIES_LEFT = 0x63C
_BLOCKED = frozenset({StatusWord.LOCKED, StatusWord.LOCKED_FOR_GOOD})


@dataclass(frozen=True, slots=True)
class CardState:
    """What a chip says about itself to anybody."""

    life: Life
    algorithm: Algorithm
    key_version: int
    """The newest version of the internal authentication key; 0 on a blank chip."""


CryptogramOf = Callable[[bytes], bytes]
"""From the card's 8-byte challenge to the 8-byte cryptogram; the source is the challenge itself."""


class CardSession:
    """A session with the card in a reader.

    >>> with CardSession(reader) as card:                      # doctest: +SKIP
    ...     card.select_sse()
    ...     print(card.read_public_identity().card_number)
    """

    def __init__(self, reader: Reader, profile: CardProfile | None = None) -> None:
        self.reader = reader
        self.profile = load_profile() if profile is None else profile
        self.channel = Channel(reader)
        self.atr = b""
        self.algorithm = Algorithm.TDES
        self._application = ""
        self._region = ""

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> Self:
        """Power the card up; refusals of the reader as they are."""
        self.atr = self.reader.connect()
        self._application = self._region = ""
        return self

    def close(self) -> None:
        """Power the card down: every authentication in it ends."""
        self.reader.disconnect()

    @property
    def historical(self) -> bytes:
        """The 13 historical bytes of the ATR; Refused(CARD_NOT_SOCIAL_SECURITY) for an ATR of another form."""
        rule = self.profile.atr
        historical = self.atr[len(rule.prefix) :]
        if not self.atr.startswith(rule.prefix) or len(historical) != rule.historical_bytes:
            raise Refused(Code.CARD_NOT_SOCIAL_SECURITY, status=self.atr.hex().upper())
        return historical

    @property
    def factor(self) -> bytes:
        """The card-level diversification factor, 8 bytes, from the ATR (card.md §4)."""
        return self.profile.card_factor(self.historical)

    # selecting and reading

    def need_application(self) -> None:
        """Select the SSE unless an application is selected already: only then is the algorithm known."""
        if not self._application:
            self.select_sse()

    def region(self) -> str:
        """Six digits of the issuing region, from the identification code, read once a session.

        The application stays selected; what was authenticated in it must be so again after the first call.
        """
        if not self._region:
            before = self._application or SSSE
            self._region = self.read_public_identity().identification_code.region
            if before != SSSE:
                self.select(before)
        return self._region

    def select_sse(self) -> bytes:
        """Select the social security system environment; its FCI. The FCI's algorithm id becomes the session's."""
        return self.select(SSSE)

    def select(self, application: str, *, even_if_blocked: bool = False) -> bytes:
        """Select an application of the profile, by its AID where it has one, by its FID otherwise; its FCI.

        A blocked application is refused with 6283 in CARD_ANSWERED, unless it is to be unblocked.
        """
        found = self.profile.application(application)
        by, identifier = (_BY_AID, found.aid) if found.aid else (_BY_FID, found.fid)
        command = Command(0x00, _SELECT, by, 0, identifier)
        response = self.channel.exchange(command)
        if response.status == StatusWord.FILE_NOT_FOUND and application == SSSE:
            raise Refused(Code.CARD_NOT_SOCIAL_SECURITY, status=f"{response.status:04X}")
        blocked = even_if_blocked and response.status == StatusWord.APPLICATION_BLOCKED
        if not response.ok and not blocked:
            raise answered(Term(f"选择应用 {application}", f"select {application}"), response.status)
        self._application = application
        if response.data:
            self.algorithm = algorithm_of(response.data)
        return response.data

    def select_file(self, path: str) -> FileDeclaration:
        """Select a file such as `SSSE/EF05`, its application first when another one is selected."""
        file = self.profile.file(path)
        if self._application != file.application:
            self.select(file.application)
        self.channel.must(Term(f"选择文件 {path}", f"select {path}"), Command(0x00, _SELECT, _BY_FID, 0, file.fid))
        return file

    def read_item(self, tag: int, length: int) -> bytes:
        """The value of an item of the selected file, by its tag; `length` of the value in bytes."""
        command = Command(0x00, _READ_RECORD, tag, _BY_TAG, b"", 2 + length)
        record = self.channel.must(Term(f"读数据项 {tag:02X}", f"read item {tag:02X}"), command)
        if len(record) != 2 + length or record[0] != tag or record[1] != length:
            raise Refused(Code.CARD_DATA_MALFORMED, file=f"{tag:02X}", reason=Term("记录格式错误", "record form"))
        return record[2:]

    def read_file(self, path: str) -> dict[str, Any]:
        """All items of a linear file by name. Refused(CARD_ANSWERED) with 6982 when the card asks for more proof."""
        file = self.select_file(path)
        records = [
            self.channel.must(_reading(path), Command(0x00, _READ_RECORD, number, _BY_NUMBER, b"", item.record_bytes))
            for number, item in enumerate(file.slots, start=1)
        ]
        return decode_records(file, records)

    def read_transparent(self, path: str) -> bytes:
        """The whole content of a transparent file, its padding included."""
        file = self.select_file(path)
        parts = []
        for offset in range(0, file.size, _CHUNK):
            length = min(_CHUNK, file.size - offset)
            command = Command(0x00, _READ_BINARY, offset >> 8, offset & 0xFF, b"", length)
            parts.append(self.channel.must(_reading(path), command))
        return b"".join(parts)

    def read_log(self, path: str) -> list[dict[str, Any]]:
        """The records of a cyclic file, newest first."""
        file = self.select_file(path)
        found: list[dict[str, Any]] = []
        for number in range(1, file.records + 1):
            response = self.channel.exchange(Command(0x00, _READ_RECORD, number, _BY_NUMBER, b"", file.size))
            if response.status == StatusWord.RECORD_NOT_FOUND:
                break
            if not response.ok:
                raise answered(_reading(path), response.status)
            found.append(decode_cyclic(file, response.data))
        return found

    def read(self, path: str) -> Any:
        """A file by its kind: items by name, bytes, or the records of a log."""
        kind = self.profile.file(path).kind
        if kind is FileKind.TRANSPARENT:
            return self.read_transparent(path)
        return self.read_log(path) if kind is FileKind.CYCLIC else self.read_file(path)

    def read_public_identity(self) -> PublicIdentity:
        """SSSE EF05: what everybody may read."""
        return PublicIdentity.of(self.read_file(ISSUER_FILE))

    def read_holder(self) -> HolderIdentity:
        """SSSE EF06. A 3.00 card asks for an external authentication with RKSSSE first (6982 in CARD_ANSWERED)."""
        return HolderIdentity.of(self.read_file(HOLDER_FILE))

    # writing

    def update_item(self, path: str, item: str, value: Value, *, index: int = 0, mac_of: MacOf | None = None) -> None:
        """Replace an item of a linear file.

        Parameters
        ----------
        item, index : the item's name in the profile, and which of its repetitions.
        mac_of : signs the command with the file's write key (secure messaging); left out, that key must have been
            authenticated before (6982 in CARD_ANSWERED otherwise).
        """
        file = self.select_file(path)
        places = [number for number, slot in enumerate(file.slots, start=1) if slot.name == item]
        if index >= len(places):
            raise Refused(Code.CHIP_ITEM_UNKNOWN, file=path, item=item)
        record = encode_record(file.slots[places[index] - 1], value)
        self.secured(_writing(path), Command(0x00, _UPDATE_RECORD, places[index], _BY_NUMBER, record), mac_of)

    def write_transparent(self, path: str, content: bytes, *, mac_of: MacOf | None = None) -> None:
        """Replace the content of a transparent file, padded with 00 to its size; several commands."""
        whole = encode_transparent(self.select_file(path), content)
        for offset in range(0, len(whole), _CHUNK):
            command = Command(0x00, _UPDATE_BINARY, offset >> 8, offset & 0xFF, whole[offset : offset + _CHUNK])
            self.secured(_writing(path), command, mac_of)

    def append_record(self, path: str, values: Mapping[str, Value], *, mac_of: MacOf | None = None) -> None:
        """Add a record to a cyclic file; it becomes record 1."""
        record = encode_cyclic(self.select_file(path), values)
        self.secured(_writing(path), Command(0x00, _APPEND_RECORD, 0, 0, record), mac_of)

    def secured(self, step: Term, command: Command, mac_of: MacOf | None) -> bytes:
        """Send a command with a MAC over it under a fresh challenge (or plain without `mac_of`); its answer's data."""
        if mac_of is not None:
            command = protect(command, self.algorithm, self.challenge(MAC_CHALLENGE_BYTES), mac_of)
        return self.channel.must(step, command)

    # proofs

    def challenge(self, length: int = CHALLENGE_BYTES) -> bytes:
        """A random number from the card, `length` bytes (4 for a command MAC, 8 for an authentication)."""
        step = Term("取随机数", "get challenge")
        found = self.channel.must(step, Command(0x00, _CHALLENGE, 0, 0, b"", length))
        if len(found) != length:
            raise Refused(Code.CARD_DATA_MALFORMED, file="-", reason=Term("随机数长度错误", "length of the challenge"))
        return found

    def internal_authenticate(self, factor: bytes, source: bytes, *, version: int = 0) -> bytes:
        """What the card answers to a process factor and a source of 8 bytes each: 8 bytes (C1).

        `version` of the key, 0 for the card's newest; CARD_ANSWERED with 6A88 for one that it does not have.
        """
        step = Term("内部认证", "internal authentication")
        return self.channel.must(step, Command(0x00, _INTERNAL, version, 0, factor + source, 8))

    def state(self) -> CardState:
        """Life, algorithm and the newest key version of the chip (GET DATA, local)."""
        cla, ins = self.profile.instructions["get_data"]
        wanted = self.profile.data_objects["chip_state"]
        step = Term("读芯片状态", "read the chip's state")
        data = self.channel.must(step, Command(cla, ins, wanted >> 8, wanted & 0xFF, b"", 3))
        try:
            life, algorithm, version = data
            return CardState(Life(life), Algorithm(algorithm), version)
        except ValueError:
            raise Refused(
                Code.CARD_DATA_MALFORMED, file="-", reason=Term("芯片状态格式错误", "form of the chip's state")
            ) from None

    def external_authenticate(self, key: str | int, cryptogram_of: CryptogramOf, *, version: int = 0) -> None:
        """Prove to the card that the caller holds a key.

        Parameters
        ----------
        key : the key's name in the profile (its application is selected first if another one is), or its id in the
            selected application.
        cryptogram_of : gives the cryptogram for the card's challenge, e.g. by the encryption machine.
        version : of the key, 0 for the card's newest.

        Raises Refused(CARD_KEY_REFUSED) with the card's status: 63Cx wrong key, 6983 locked.
        """
        key_id = key if isinstance(key, int) else self._key_id(key)
        challenge = self.challenge()
        data = external_data(cryptogram_of(challenge), challenge)
        response = self.channel.exchange(Command(0x00, _EXTERNAL, version, key_id, data))
        if not response.ok:
            status = response.status
            raise Refused(Code.CARD_KEY_REFUSED, key=key, status=f"{status:04X}", meaning=meaning(status))

    def verify_pin(self, pin: str) -> None:
        """Present the holder's PIN.

        Raises Refused: CHIP_PIN_FORM, CARD_PIN_WRONG with the tries left, CARD_PIN_BLOCKED, CARD_PIN_INITIAL when the
        PIN is right but is still the one from production.
        """
        self._pin_command(
            Term("验证密码", "verify PIN"), Command(0x00, _VERIFY, 0, 0, pin_bytes(self.profile.pin, pin))
        )

    def change_pin(self, old: str, new: str) -> None:
        """Replace the PIN; refusals as in `verify_pin`."""
        data = pin_bytes(self.profile.pin, old) + b"\xff" + pin_bytes(self.profile.pin, new)
        self._pin_command(Term("修改密码", "change PIN"), Command(0x80, _CHANGE_PIN, 0x01, 0, data))

    def _pin_command(self, step: Term, command: Command) -> None:
        if self._application != self.profile.pin.application:
            self.select(self.profile.pin.application)
        status = self.channel.exchange(command).status
        if status == StatusWord.OK:
            return
        if status >> 4 == _TRIES_LEFT and status & 0x0F:
            raise Refused(Code.CARD_PIN_WRONG, left=status & 0x0F)
        if status in _BLOCKED or status >> 4 == _TRIES_LEFT:
            raise Refused(Code.CARD_PIN_BLOCKED)
        if status == self.profile.pin.initial_status:
            raise Refused(Code.CARD_PIN_INITIAL)
        raise answered(step, status)

    def _key_id(self, name: str) -> int:
        key = self.profile.key(name)
        if key.application != self._application:
            self.select(key.application)
        return key.key_id


def algorithm_of(fci: bytes) -> Algorithm:
    """The algorithm id of an FCI, `6F{… A5{… 9F0C {86 01 id}}}`; absent means 3DES (card.md §1)."""
    value = _find(fci, (0x6F, 0xA5, 0x9F0C, 0x86))
    return Algorithm.SM4 if value == bytes([Algorithm.SM4]) else Algorithm.TDES


def _find(data: bytes, path: tuple[int, ...]) -> bytes | None:
    """The value at a path of tags in nested TLVs; None when it is not there or the data are cut short."""
    for wanted in path:
        at, found = 0, None
        while found is None and at + 2 <= len(data):
            tag_bytes = 2 if data[at] & 0x1F == 0x1F else 1
            tag = int.from_bytes(data[at : at + tag_bytes], "big")
            start = at + tag_bytes + 1
            end = start + data[start - 1] if start <= len(data) else start
            if end > len(data):
                return None
            found, at = data[start:end] if tag == wanted else None, end
        if found is None:
            return None
        data = found
    return data


def _writing(path: str) -> Term:
    return Term(f"写文件 {path}", f"write {path}")


def _reading(path: str) -> Term:
    return Term(f"读文件 {path}", f"read {path}")
