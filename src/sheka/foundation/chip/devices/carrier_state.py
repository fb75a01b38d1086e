"""The inside of a key carrier card: PIN, the two banks, secure messaging both ways (K5)."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from sheka.foundation.chip.apdu import Command, Denied, StatusWord
from sheka.foundation.chip.authentication import MAC_BYTES, initial_value
from sheka.foundation.chip.declarations import PinPolicy
from sheka.foundation.chip.devices.device import Device, DeviceSession
from sheka.foundation.chip.devices.profile import CarrierProfile
from sheka.foundation.chip.memory import CardMemory
from sheka.foundation.chip.pins import is_pin, pin_bytes
from sheka.foundation.chip.secure_messaging import mac_message, read_pin_block
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.ciphers import decrypt_ecb
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.refusals import Code, Refused

ALGORITHM = Algorithm.SM4
"""Of a carrier's own keys (local)."""
PIN, MUST_CHANGE, BANK = "pin", "pin/must change", "bank"
BLOCK_BYTES = 0xF0
PIN_BLOCK_BYTES = 16
_ANSWER = b"\x90\x00"


@dataclass(slots=True)
class CarrierSession(DeviceSession):
    """What the carrier forgets without power."""

    pin_verified: bool = False
    writing: dict[int, int] | None = None
    """File → blocks written to the free bank since OPEN CONTENT; None while no content is open."""

    def forget_rights(self) -> None:
        self.challenge = b""
        self.pin_verified = False
        self.writing = None


class Carrier(Device):
    """One powered key carrier card."""

    session: CarrierSession

    def __init__(self, profile: CarrierProfile, memory: CardMemory, random: Callable[[int], bytes]) -> None:
        super().__init__(profile, memory, random)
        self.profile = profile
        self.session = CarrierSession()

    # the PIN

    @property
    def pin_tries(self) -> int:
        return self.tries("pin", self.profile.pin.retry_limit)

    def need_pin(self) -> None:
        """6982 before the PIN was verified."""
        if not self.session.pin_verified:
            raise Denied(StatusWord.NOT_AUTHORISED)

    def deciphered_pin(self, enciphered: bytes, challenge: bytes) -> bytes:
        """The PIN of a block enciphered over the challenge; empty when it is none: then it is a wrong PIN."""
        block = decrypt_ecb(ALGORITHM, self.memory.need("pin key"), enciphered)
        start = initial_value(ALGORITHM, challenge)
        return read_pin_block(bytes(a ^ b for a, b in zip(block, start, strict=True))) or b""

    # content

    @property
    def bank(self) -> int:
        """The bank with the content, 1 or 2; 0 while the card is empty."""
        stored = self.memory.get(BANK)
        return stored[0] if stored else 0

    @property
    def free_bank(self) -> int:
        return 2 if self.bank == 1 else 1

    def block(self, bank: int, file: int, number: int) -> bytes | None:
        return self.memory.get(_block(bank, file, number))

    def put_block(self, bank: int, file: int, number: int, data: bytes | None) -> None:
        self.memory.put(_block(bank, file, number), data)

    def file(self, bank: int, number: int) -> bytes:
        """A file's whole content; empty when it was not written."""
        parts, at = [], 0
        while (part := self.block(bank, number, at)) is not None:
            parts.append(part)
            at += 1
        return b"".join(parts)

    def clear(self, bank: int) -> None:
        """Take a bank's blocks away."""
        for file in range(self.profile.files + 1):
            at = 0
            while self.block(bank, file, at) is not None:
                self.put_block(bank, file, at, None)
                at += 1

    # secure messaging

    def unsecured(self, command: Command) -> tuple[bytes, bytes]:
        """(data, challenge) of a command whose MAC is right: 6987 no room for one, 6984 no challenge, 9302 wrong."""
        if len(command.data) < MAC_BYTES:
            raise Denied(StatusWord.MAC_MISSING)
        challenge = self.take_challenge(8)
        data, mac = command.data[:-MAC_BYTES], command.data[-MAC_BYTES:]
        if not hmac.compare_digest(self._mac(mac_message(command.header, data), challenge), mac):
            raise Denied(StatusWord.MAC_WRONG)
        return data, challenge

    def secured(self, command: Command, challenge: bytes, answer: bytes) -> bytes:
        """The answer with its MAC behind it, bound to the command and its challenge."""
        return answer + self._mac(answer_message(command.header, answer), challenge)

    def _mac(self, message: bytes, challenge: bytes) -> bytes:
        key = self.memory.need("messaging key")
        return command_mac(ALGORITHM, key, message, initial_value(ALGORITHM, challenge))


def digits_of(policy: PinPolicy, pin: str) -> bytes:
    """The bytes of a carrier's PIN, which has exactly the profile's number of digits. Refused(CHIP_PIN_FORM)."""
    if len(pin) != policy.default_digits:
        raise Refused(Code.CHIP_PIN_FORM, minimum=policy.default_digits, maximum=policy.default_digits)
    return pin_bytes(policy, pin)


def is_whole_pin(policy: PinPolicy, data: bytes) -> bool:
    """Whether bytes are a PIN of exactly that many digits."""
    return is_pin(policy, data) and data.hex().isdigit()


def answer_message(header: bytes, answer: bytes) -> bytes:
    """What the MAC of an answer covers: 9000 ‖ CLA INS P1 P2 ‖ answer. No command begins with 90."""
    return _ANSWER + header + answer


def _block(bank: int, file: int, number: int) -> str:
    return f"content/{bank}/{file}/{number}"
