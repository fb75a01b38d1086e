"""A session with a PSAM: what it holds, loading, work with its keys, purchases (K8, H4; card.md §6).

    with PsamSession(PcscReader(1)) as psam, CardSession(PcscReader(0)) as card:
        psam.external_authentication_of(card, "RK1DF01")

The session holds no key: a PSAM is opened and loaded with what an encryption machine computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from sheka.equipment.card_reader.channel import Channel, meaning
from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.chip.apdu import SHORT_ANSWER, Command, StatusWord
from sheka.foundation.chip.authentication import Settlement, amounts_bytes, external_data
from sheka.foundation.chip.declarations import KeyDeclaration
from sheka.foundation.chip.devices.device import device_factor
from sheka.foundation.chip.devices.profile import SERIAL_BYTES, Level, Mode, PsamProfile, psam_profile
from sheka.foundation.chip.secure_messaging import MacOf
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.kcv import check_value_bytes
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

_ENTRY_BYTES = 9
_PROVINCE = "0000"


@dataclass(frozen=True, slots=True)
class PsamKey:
    """A key on a PSAM: everything that may be known about it."""

    name: str
    version: int
    algorithm: Algorithm
    level: Level
    check_value: str
    tries_left: int


@dataclass(frozen=True, slots=True)
class PsamInformation:
    """What a PSAM says about itself."""

    serial: str
    terminal: str
    """12 digits; empty while it is bound to none."""
    counter: int
    """The terminal transaction counter: purchases begun."""
    keys: tuple[PsamKey, ...]


@dataclass(frozen=True, slots=True)
class KeyToLoad:
    """A key for a PSAM: its name in the card profile, and where the machine has it."""

    name: str
    version: int
    algorithm: Algorithm
    level: Level
    reference: str


class PsamKeys(Protocol):
    """The machine's side of loading; `factor` (8 bytes) comes from the PSAM's serial."""

    def cryptogram(self, algorithm: Algorithm, factor: bytes, challenge: bytes) -> bytes:
        """External cryptogram under the PSAM's transport key, 8 bytes."""

    def wrapped(
        self,
        algorithm: Algorithm,
        factor: bytes,
        challenge: bytes,
        refs: Sequence[str],
        key_ids: Sequence[int],
        versions: Sequence[int],
    ) -> list[bytes]:
        """WRITE KEY data of the keys as they are."""


class PsamSession:
    """A session with the PSAM in a reader."""

    def __init__(self, reader: Reader, profile: PsamProfile | None = None) -> None:
        self.reader = reader
        self.profile = profile or psam_profile()
        self._channel = Channel(reader)
        self._serial = b""

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> Self:
        """Power the PSAM up and read its serial. Refused(PSAM_NOT_ONE) for anything else in the reader."""
        atr = self.reader.connect()
        try:
            if atr != self.profile.atr:
                raise Refused(Code.PSAM_NOT_ONE, atr=atr.hex().upper())
            self._serial = self._read(self.profile.serial_file, SERIAL_BYTES)
        except Refused:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Power the PSAM down: what it held for a command or a purchase is gone."""
        self.reader.disconnect()

    # what it says

    @property
    def serial(self) -> str:
        """20 digits."""
        return self._serial.hex()

    def information(self) -> PsamInformation:
        """Serial, terminal, counter and the keys with their check values."""
        state, keys = self._get_data("state"), self._get_data("keys")
        if len(state) != 6 or len(keys) != _ENTRY_BYTES * state[5]:
            raise self._malformed()
        terminal = self._read(self.profile.terminal_file, 6).hex() if state[0] else ""
        entries = [keys[at : at + _ENTRY_BYTES] for at in range(0, len(keys), _ENTRY_BYTES)]
        return PsamInformation(self.serial, terminal, int.from_bytes(state[1:5], "big"), tuple(map(self._key, entries)))

    def key(self, name: str, algorithm: Algorithm, version: int = 0) -> PsamKey:
        """A key that the PSAM holds, version 0 for the newest. Refused(PSAM_KEY_ABSENT)."""
        found = [key for key in self.information().keys if (key.name, key.algorithm) == (name, algorithm)]
        found = [key for key in found if version in (0, key.version)]
        if not found:
            raise Refused(Code.PSAM_KEY_ABSENT, serial=self.serial, key=name, algorithm=algorithm.name)
        return max(found, key=lambda key: key.version)

    # loading

    def load_keys(self, machine: PsamKeys, keys: Sequence[KeyToLoad]) -> None:
        """Write keys under the PSAM's transport keys; one that was there in the same version is replaced.

        A cut leaves those that were written: repeat the call. Raises Refused(PSAM_TRANSPORT) when the machine's
        transport key is not this PSAM's, and the machine's refusals (MACHINE_KEY_STAYS for a root that may not leave).
        """
        for algorithm in Algorithm:
            chosen = [key for key in keys if key.algorithm is algorithm]
            if not chosen:
                continue
            declared = [self.profile.key(key.name) for key in chosen]
            challenge = self._open_loading(machine, algorithm)
            wrapped = machine.wrapped(
                algorithm,
                device_factor(self._serial),
                challenge,
                [key.reference for key in chosen],
                [key.key_id for key in declared],
                [key.level << 4 | key.version for key in chosen],
            )
            for key, data in zip(chosen, wrapped, strict=True):
                step = Term(f"写入密钥 {key.name} v{key.version}", f"write the key {key.name} v{key.version}")
                self._must(step, "write_key", data)

    def remove_key(self, machine: PsamKeys, name: str, version: int, algorithm: Algorithm) -> None:
        """Take a key away, e.g. a retired version. Refused(PSAM_KEY_ABSENT)."""
        key = self.key(name, algorithm, version)
        self._open_loading(machine, algorithm)
        data = bytes((self.profile.key(name).key_id, key.version))
        self._must(Term(f"删除密钥 {name}", f"remove the key {name}"), "remove_key", data)

    def bind_terminal(self, machine: PsamKeys, terminal: str) -> None:
        """Write the number of the terminal that it serves, 12 digits (card.md §4)."""
        if len(terminal) != 12 or not (terminal.isascii() and terminal.isdigit()):
            raise Refused(Code.CHIP_FORMULA_INPUT, what="terminal", expected=12, got=len(terminal))
        self._open_loading(machine, Algorithm.SM4)
        self._must(Term("写入终端机编号", "write the terminal number"), "set_terminal", bytes.fromhex(terminal))

    def erase(self, machine: PsamKeys) -> None:
        """All keys and the terminal number are gone; serial and counter stay (return, recycling)."""
        self._open_loading(machine, Algorithm.SM4)
        self._must(Term("清除密钥", "erase the keys"), "erase")

    # work with its keys

    def delivery_key(self, key: str, factors: Sequence[bytes], algorithm: Algorithm, version: int = 0) -> None:
        """Derive a work key inside, for one `cipher_data`: exactly 3, 2 or 1 factors for a root, province or city key.

        Raises Refused: PSAM_FACTORS (6A80), PSAM_KEY_ABSENT (6A88), PSAM_LOCKED (9303).
        """
        declared = self.profile.key(key)
        parameters = (declared.key_id, algorithm << 4 | version)
        self._work(declared, algorithm, "delivery_key", b"".join(factors), *parameters)

    def cipher_data(self, mode: Mode, data: bytes) -> bytes:
        """Use the delivered key once; what goes in and comes out stands at `psam_commands.cipher_data`."""
        p1 = next(byte for byte, found in self.profile.modes.items() if found is mode)
        return self._must(Term("密文运算", "cipher data"), "cipher_data", data, p1, answers=True)

    def factors(self, card: CardSession, level: Level, region: str) -> list[bytes]:
        """The factors from a key of that level to the card: province, city, card, the last `level` of them."""
        regions = [region[:2] + _PROVINCE, region]
        return [*(card.profile.region_factor(name) for name in regions), card.factor][-level:]

    def external_authentication_of(self, card: CardSession, key: str, *, region: str = "", version: int = 0) -> None:
        """Prove to a card that this PSAM holds a key of its.

        Parameters
        ----------
        region : six digits of the card's city; left out they are read from the card.
        version : 0 for the newest of the PSAM; the card is told which.

        Raises Refused: PSAM_KEY_ABSENT, PSAM_FACTORS, CARD_KEY_REFUSED with the card's status.
        """
        held = self._deliver_for(card, key, region, version)

        def cryptogram(challenge: bytes) -> bytes:
            return self.cipher_data(Mode.EXTERNAL, challenge + challenge)

        card.external_authenticate(key, cryptogram, version=held.version)

    def internal_authentication_of(self, card: CardSession, *, region: str = "", key: str = "IRK") -> bool:
        """Whether the card proves to this PSAM that it is genuine; the PSAM compares and tells no answer (C1)."""
        card.need_application()
        source = self._challenge()
        self._deliver_for(card, key, region, card.state().key_version)
        answer = card.internal_authenticate(card.factor, source)
        cla, ins = self.profile.instructions["cipher_data"]
        p1 = next(byte for byte, mode in self.profile.modes.items() if mode is Mode.CHECK_INTERNAL)
        response = self._channel.exchange(Command(cla, ins, p1, 0, card.factor + source + answer))
        if response.status == StatusWord.AUTHENTICATION_FAILED:
            return False
        if not response.ok:
            raise self._answered(Term("内部认证比对", "compare the internal authentication"), response.status)
        return True

    def mac_of(self, card: CardSession, key: str, *, region: str = "") -> MacOf:
        """Signs secured commands to the card with a UK or the STK of this PSAM."""
        place = region or card.region()

        def mac(message: bytes, iv: bytes) -> bytes:
            self._deliver_for(card, key, place, 0)
            return self.cipher_data(Mode.MAC, iv + message)

        return mac

    # medical purchase

    def init_for_purchase(
        self,
        settlement: Settlement,
        *,
        random: bytes,
        sequence: bytes,
        version: int,
        algorithm: Algorithm,
        factors: Sequence[bytes],
    ) -> tuple[bytes, bytes]:
        """Begin a purchase: (terminal sequence 4, MAC1 4). `random`, `sequence` and `version` are the card's answer.

        Raises Refused: PSAM_FACTORS, PSAM_KEY_ABSENT, PSAM_LOCKED, PSAM_TERMINAL when it is bound to another or none.
        """
        bound = self._read(self.profile.terminal_file, 6)
        if bound != settlement.terminal:
            raise Refused(
                Code.PSAM_TERMINAL, serial=self.serial, bound=bound.hex().upper(), asked=settlement.terminal.hex()
            )
        signed = amounts_bytes(settlement.amounts) + settlement.type + settlement.time
        data = random + sequence + signed + bytes((version, algorithm)) + b"".join(factors)
        answer = self._work(self.profile.purchase, algorithm, "init_sam_for_purchase", data, answers=True)
        if len(answer) != 8:
            raise self._malformed()
        return answer[:4], answer[4:]

    def credit_for_purchase(self, mac2: bytes) -> None:
        """Check the card's proof. Raises Refused: PSAM_MAC2 (9302), PSAM_LOCKED (9303: wrong too often)."""
        self._work(self.profile.purchase, None, "credit_sam_for_purchase", mac2)

    # commands

    def _deliver_for(self, card: CardSession, name: str, region: str, version: int) -> PsamKey:
        """Deliver the card's key; the algorithm is what the selected card said."""
        card.need_application()
        place = region or card.region()
        held = self.key(name, card.algorithm, version)
        self.delivery_key(name, self.factors(card, held.level, place), held.algorithm, held.version)
        return held

    def _open_loading(self, machine: PsamKeys, algorithm: Algorithm) -> bytes:
        """Authenticate the transport key; the challenge that binds what is written."""
        challenge = self._challenge()
        cryptogram = machine.cryptogram(algorithm, device_factor(self._serial), challenge)
        key_id = self.profile.transport[algorithm]
        response = self._channel.exchange(Command(0x00, 0x82, 0x00, key_id, external_data(cryptogram, challenge)))
        if not response.ok:
            raise Refused(
                Code.PSAM_TRANSPORT,
                serial=self.serial,
                status=f"{response.status:04X}",
                meaning=meaning(response.status),
            )
        return challenge

    def _challenge(self) -> bytes:
        found = self._channel.must(Term("取随机数", "get challenge"), Command(0x00, 0x84, 0x00, 0x00, b"", 8))
        if len(found) != 8:
            raise self._malformed()
        return found

    def _read(self, file: int, length: int) -> bytes:
        found = self._channel.must(
            Term(f"读PSAM文件 {file:02X}", f"read the PSAM's file {file:02X}"),
            Command(0x00, 0xB0, 0x80 | file, 0x00, b"", length),
        )
        if len(found) != length:
            raise self._malformed()
        return found

    def _get_data(self, what: str) -> bytes:
        cla, ins = self.profile.instructions["get_data"]
        wanted = self.profile.data_objects[what]
        return self._channel.must(
            Term("读PSAM信息", "ask the PSAM"), Command(cla, ins, wanted >> 8, wanted & 0xFF, b"", SHORT_ANSWER)
        )

    def _must(
        self, step: Term, name: str, data: bytes = b"", p1: int = 0, p2: int = 0, *, answers: bool = False
    ) -> bytes:
        cla, ins = self.profile.instructions[name]
        return self._channel.must(step, Command(cla, ins, p1, p2, data, SHORT_ANSWER if answers else None))

    def _work(
        self,
        key: KeyDeclaration,
        algorithm: Algorithm | None,
        name: str,
        data: bytes,
        p1: int = 0,
        p2: int = 0,
        *,
        answers: bool = False,
    ) -> bytes:
        """A command that uses a key; its own status words as refusals with names."""
        cla, ins = self.profile.instructions[name]
        response = self._channel.exchange(Command(cla, ins, p1, p2, data, SHORT_ANSWER if answers else None))
        if response.ok:
            return response.data
        facts = {"serial": self.serial, "key": key.name}
        match response.status:
            case StatusWord.WRONG_DATA:
                raise Refused(Code.PSAM_FACTORS, **facts)
            case StatusWord.DATA_NOT_FOUND | StatusWord.KEY_INDEX:
                raise Refused(Code.PSAM_KEY_ABSENT, algorithm=algorithm.name if algorithm else "-", **facts)
            case StatusWord.MAC_WRONG:
                raise Refused(Code.PSAM_MAC2, **facts)
            case StatusWord.LOCKED_FOR_GOOD:
                raise Refused(Code.PSAM_LOCKED, **facts)
        raise self._answered(Term(f"使用密钥 {key.name}", f"use the key {key.name}"), response.status)

    def _key(self, entry: bytes) -> PsamKey:
        key_id, version, algorithm, level, tries = entry[:5]
        declared = self.profile.keys.get(key_id)
        try:
            of, at = Algorithm(algorithm), Level(level)
        except ValueError:
            raise self._malformed() from None
        if declared is None:
            raise self._malformed()
        value = entry[5 : 5 + check_value_bytes(of)].hex().upper()
        return PsamKey(declared.name, version, of, at, value, tries)

    def _answered(self, step: Term, status: int) -> Refused:
        return Refused(Code.CARD_ANSWERED, step=step, status=f"{status:04X}", meaning=meaning(status))

    def _malformed(self) -> Refused:
        return Refused(Code.CARD_DATA_MALFORMED, file="PSAM", reason=Term("应答格式错误", "the form of an answer"))
