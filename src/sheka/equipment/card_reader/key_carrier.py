"""A session with a key carrier card: PIN, secure messaging, envelopes in and out, list of contents (K2, K5, H4).

    keys = carrier_keys(machine)                       # initialisation.device_keys
    with KeyCarrierSession(reader, keys) as carrier:
        carrier.authenticate(pin)
        carrier.write_envelopes(envelopes, label="460000 → 460100")

Every command but asking for the serial carries a MAC under the card's own messaging key, and so does every answer that
brings data; the PIN goes enciphered over a fresh challenge. The session holds no key, and logs nothing.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from sheka.equipment.card_reader.channel import Channel, meaning
from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.encryption_machine.envelopes import read_envelope
from sheka.foundation.canonical import canonical
from sheka.foundation.chip.apdu import SHORT_ANSWER, Command, Response, StatusWord
from sheka.foundation.chip.authentication import MAC_BYTES, initial_value
from sheka.foundation.chip.devices.carrier_commands import content_digest
from sheka.foundation.chip.devices.carrier_state import ALGORITHM, BLOCK_BYTES, answer_message, digits_of
from sheka.foundation.chip.devices.device import device_factor
from sheka.foundation.chip.devices.profile import SERIAL_BYTES, CarrierProfile, DeviceKind, carrier_profile
from sheka.foundation.chip.secure_messaging import mac_message, pin_block
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

_CHALLENGE = Command(0x00, 0x84, 0x00, 0x00, b"", 8)
_TRIES_LEFT = 0x63C
_KINDS = tuple(kind for kind in DeviceKind if kind is not DeviceKind.PSAM)
_MALFORMED = Term("应答格式错误", "the form of an answer")
_LIST = Term("内容清单", "the list of contents")
_DIGEST = Term("摘要", "the digest")


class CarrierKeys(Protocol):
    """The machine's side of secure messaging, for the card whose serial gives `factor` (8 bytes)."""

    def mac(self, factor: bytes, message: bytes, iv: bytes) -> bytes:
        """MAC, 4 bytes, under the card's messaging key."""

    def enciphered_pin(self, factor: bytes, block: bytes) -> bytes:
        """One block, 16 bytes, under the card's PIN key."""


@dataclass(frozen=True, slots=True)
class CarriedKey:
    """What may be known about a key, share or component on a carrier: everything but itself."""

    name: str
    version: int
    algorithm: str
    check_value: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class CarrierContents:
    """What stands on a carrier."""

    label: str
    items: tuple[CarriedKey, ...]


@dataclass(frozen=True, slots=True)
class CarrierState:
    """What a carrier says about itself to anybody."""

    serial: str
    kind: DeviceKind
    must_change_pin: bool
    tries_left: int
    files: int
    file_bytes: int


class KeyCarrierSession:
    """A session with the key carrier card in a reader; see the head of this module."""

    def __init__(self, reader: Reader, keys: CarrierKeys) -> None:
        self.reader = reader
        self._keys = keys
        self._channel = Channel(reader)
        self._serial = b""
        self._profile: CarrierProfile | None = None

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> Self:
        """Power the card up and ask for its serial. Refused(CARRIER_NOT_ONE) for a card of another kind."""
        atr = self.reader.connect()
        found = [profile for profile in map(carrier_profile, _KINDS) if profile.atr == atr]
        try:
            if not found:
                raise Refused(Code.CARRIER_NOT_ONE, atr=atr.hex().upper())
            self._profile = found[0]
            self._serial = self._get_data("serial")
            if len(self._serial) != SERIAL_BYTES or not self._serial.hex().isdigit():
                raise Refused(Code.CARRIER_SPOILED, serial=self._serial.hex(), what=_MALFORMED)
        except Refused:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Power the card down: the PIN must be given anew."""
        self.reader.disconnect()

    @property
    def profile(self) -> CarrierProfile:
        """The profile of the card in the reader."""
        if self._profile is None:
            raise Refused(Code.READER_NO_CARD, reader=self.reader.name)
        return self._profile

    @property
    def serial(self) -> str:
        """20 digits."""
        return self._serial.hex()

    @property
    def kind(self) -> DeviceKind:
        return self.profile.kind

    def state(self) -> CarrierState:
        """Tries left and sizes; needs no PIN."""
        data = self._get_data("state")
        if len(data) != 5:
            raise self._bad(_MALFORMED)
        return CarrierState(self.serial, self.kind, bool(data[0]), data[1], data[2], int.from_bytes(data[3:], "big"))

    # the PIN

    def authenticate(self, pin: str) -> None:
        """Prove the holder.

        Raises Refused: CHIP_PIN_FORM, CARRIER_PIN_WRONG with the tries left, CARRIER_PIN_LOCKED for good,
        CARRIER_PIN_INITIAL when it is right but must be changed first, CARRIER_KEYS_DIFFER.
        """
        digits = digits_of(self.profile.pin, pin)
        challenge = self._challenge()
        self._pin_command(
            Term("验证密码", "verify PIN"), "verify", self._enciphered(digits, challenge), challenge=challenge
        )

    def change_pin(self, old: str, new: str) -> None:
        """Replace the PIN; `authenticate` with the new one afterwards. Refusals as there, and CARRIER_PIN_SAME."""
        if old == new:
            raise Refused(Code.CARRIER_PIN_SAME)
        digits = [digits_of(self.profile.pin, pin) for pin in (old, new)]
        challenge = self._challenge()
        data = b"".join(self._enciphered(pin, challenge) for pin in digits)
        self._pin_command(Term("修改密码", "change PIN"), "change_pin", data, challenge=challenge)

    # content

    def write_envelopes(
        self, envelopes: Sequence[bytes], label: str, contents: Sequence[CarriedKey] | None = None
    ) -> CarrierContents:
        """Replace the card's whole content; it keeps the old one until the last command, also when the power fails.

        Parameters
        ----------
        envelopes : each at most a file of the card; machine envelopes, or shares with `contents`.
        label : for people, e.g. the way that the card goes.
        contents : what each is; left out it is read from the envelopes (`MACHINE_ENVELOPE_MALFORMED` if one is none).

        Raises Refused(CARRIER_TOO_MUCH) before anything is written.
        """
        items = tuple(map(described, envelopes)) if contents is None else tuple(contents)
        if len(items) != len(envelopes):
            raise Refused(Code.CARRIER_TOO_MUCH, serial=self.serial, what=len(items), limit=len(envelopes))
        found = CarrierContents(label, items)
        files = [canonical({"label": label, "items": [asdict(item) for item in items]}), *envelopes]
        self._need_room(files)
        self._secured(Term("开始写入", "begin the new content"), "open_content")
        for number, file in enumerate(files):
            for block, at in enumerate(range(0, len(file), BLOCK_BYTES)):
                piece = file[at : at + BLOCK_BYTES]
                step = Term(f"写入文件 {number}", f"write file {number}")
                self._secured(step, "write_block", piece, number, block)
        self._secured(Term("结束写入", "close the new content"), "close_content", content_digest(files))
        return found

    def read_envelopes(self) -> list[bytes]:
        """The envelopes or shares, whole: compared with the digest that the card keeps. Empty card: CARRIER_EMPTY."""
        return self._files()[1:]

    def contents(self) -> CarrierContents:
        """Names, versions and check values of what the card carries; empty when it carries nothing."""
        if not self._state()[0]:
            return CarrierContents("", ())
        return self._contents(self._file(0))

    def erase(self) -> None:
        """Empty the card."""
        self._secured(Term("清空内容", "erase"), "erase")

    def _files(self) -> list[bytes]:
        count, digest = self._state()
        if not count:
            raise Refused(Code.CARRIER_EMPTY, serial=self.serial)
        files = [self._file(number) for number in range(count)]
        if not hmac.compare_digest(content_digest(files), digest):
            raise self._bad(_DIGEST)
        return files

    def _state(self) -> tuple[int, bytes]:
        answer = self._secured(Term("查询内容", "ask for the content"), "content_state")
        return (answer[0], answer[1:]) if answer else (0, b"")

    def _file(self, number: int) -> bytes:
        content = b""
        for block in range(-(-self.profile.file_bytes // BLOCK_BYTES)):
            part = self._secured(
                Term(f"读取文件 {number}", f"read file {number}"), "read_block", b"", number, block, end=block > 0
            )
            content += part
            if len(part) < BLOCK_BYTES:
                break
        return content

    def _contents(self, file: bytes) -> CarrierContents:
        try:
            found: Any = json.loads(file)
            return CarrierContents(str(found["label"]), tuple(_item(item) for item in found["items"]))
        except (ValueError, KeyError, TypeError):
            raise self._bad(_LIST) from None

    def _need_room(self, files: Sequence[bytes]) -> None:
        profile = self.profile
        if len(files) > profile.files + 1:
            raise Refused(Code.CARRIER_TOO_MUCH, serial=self.serial, what=len(files) - 1, limit=profile.files)
        largest = max(map(len, files))
        if largest > profile.file_bytes or not all(files):
            raise Refused(Code.CARRIER_TOO_MUCH, serial=self.serial, what=largest, limit=profile.file_bytes)

    # commands

    def _get_data(self, what: str) -> bytes:
        cla, ins = self.profile.instructions["get_data"]
        wanted = self.profile.data_objects[what]
        return self._channel.must(
            Term("读载体信息", "ask the carrier"), Command(cla, ins, wanted >> 8, wanted & 0xFF, b"", SHORT_ANSWER)
        )

    def _challenge(self) -> bytes:
        found = self._channel.must(Term("取随机数", "get challenge"), _CHALLENGE)
        if len(found) != 8:
            raise self._bad(_MALFORMED)
        return found

    def _enciphered(self, pin: bytes, challenge: bytes) -> bytes:
        start = initial_value(ALGORITHM, challenge)
        block = bytes(a ^ b for a, b in zip(pin_block(ALGORITHM, pin), start, strict=True))
        return self._keys.enciphered_pin(device_factor(self._serial), block)

    def _exchange(
        self, name: str, data: bytes, p1: int, p2: int, challenge: bytes, *, answers: bool
    ) -> tuple[Response, bytes]:
        """(answer, header) of a command with its MAC under the card's messaging key."""
        cla, ins = self.profile.instructions[name]
        header = bytes((cla, ins, p1, p2))
        iv = initial_value(ALGORITHM, challenge)
        mac = self._keys.mac(device_factor(self._serial), mac_message(header, data), iv)
        le = SHORT_ANSWER if answers else None
        return self._channel.exchange(Command(cla, ins, p1, p2, data + mac, le)), header

    def _secured(
        self, step: Term, name: str, data: bytes = b"", p1: int = 0, p2: int = 0, *, end: bool = False
    ) -> bytes:
        """The data of an answer whose MAC is right; with `end` no more blocks (6A83) is an empty answer."""
        challenge = self._challenge()
        answers = name in ("content_state", "read_block")
        response, header = self._exchange(name, data, p1, p2, challenge, answers=answers)
        if end and response.status == StatusWord.RECORD_NOT_FOUND:
            return b""
        if not response.ok:
            raise self._refused(step, response.status)
        if not answers:
            return b""
        answer, mac = response.data[:-MAC_BYTES], response.data[-MAC_BYTES:]
        iv = initial_value(ALGORITHM, challenge)
        expected = self._keys.mac(device_factor(self._serial), answer_message(header, answer), iv)
        if not hmac.compare_digest(expected, mac):
            raise Refused(Code.CARRIER_KEYS_DIFFER, serial=self.serial)
        return answer

    def _pin_command(self, step: Term, name: str, data: bytes, *, challenge: bytes) -> None:
        status = self._exchange(name, data, 0, 0, challenge, answers=False)[0].status
        if status == StatusWord.OK:
            return
        if status >> 4 == _TRIES_LEFT and status & 0x0F:
            raise Refused(Code.CARRIER_PIN_WRONG, serial=self.serial, left=status & 0x0F)
        if status == StatusWord.LOCKED or status >> 4 == _TRIES_LEFT:
            raise Refused(Code.CARRIER_PIN_LOCKED, serial=self.serial)
        if status == self.profile.pin.initial_status:
            raise Refused(Code.CARRIER_PIN_INITIAL, serial=self.serial)
        raise self._refused(step, status)

    def _refused(self, step: Term, status: int) -> Refused:
        if status == StatusWord.MAC_WRONG:
            return Refused(Code.CARRIER_KEYS_DIFFER, serial=self.serial)
        if status == StatusWord.NOT_AUTHORISED:
            return Refused(Code.CARRIER_PIN_NEEDED, serial=self.serial)
        return Refused(Code.CARD_ANSWERED, step=step, status=f"{status:04X}", meaning=meaning(status))

    def _bad(self, what: Term) -> Refused:
        return Refused(Code.CARRIER_SPOILED, serial=self.serial, what=what)


def described(envelope: bytes) -> CarriedKey:
    """What an envelope says openly about the key in it. Refused(MACHINE_ENVELOPE_MALFORMED)."""
    info = read_envelope(envelope).info
    return CarriedKey(info.name, info.version, info.algorithm.name, info.check_value, info.owner)


def _item(found: Mapping[str, Any]) -> CarriedKey:
    return CarriedKey(
        str(found["name"]),
        int(found["version"]),
        str(found["algorithm"]),
        str(found["check_value"]),
        str(found["owner"]),
    )
