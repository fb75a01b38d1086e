"""The inside of a device, and the commands that all devices share (ISO/IEC 7816-4; card.md §5).

SELECT, GET CHALLENGE, GET RESPONSE work as on the card; counters of tries are kept whether the proof was right or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sheka.foundation.chip.apdu import SHORT_ANSWER, Command, Denied, StatusWord, exact_length
from sheka.foundation.chip.devices.profile import FACTOR_BYTES, DeviceProfile
from sheka.foundation.chip.directory import MASTER_FID, tlv
from sheka.foundation.chip.memory import CardMemory

_BY_FID, _BY_AID, _NO_FCI = 0x00, 0x04, 0x0C
_CHALLENGES = (4, 8, 16)
_KNOWN_CLASSES = frozenset((0x00, 0x04, 0x80, 0x84))


@dataclass(slots=True)
class DeviceSession:
    """What every device forgets without power."""

    challenge: bytes = b""
    pending: bytes = b""

    def forget_rights(self) -> None:
        """Back to what anybody may do."""
        self.challenge = b""


class Device:
    """A powered device of any kind."""

    session: DeviceSession

    def __init__(self, profile: DeviceProfile, memory: CardMemory, random: Callable[[int], bytes]) -> None:
        self.memory = memory
        self.random = random
        self.layout = profile

    @property
    def serial(self) -> bytes:
        """10 bytes BCD."""
        return self.memory.need("serial")

    def take_challenge(self, *lengths: int) -> bytes:
        """The last challenge, which serves one command only: 6984 when there is none of these lengths."""
        challenge, self.session.challenge = self.session.challenge, b""
        if len(challenge) not in lengths:
            raise Denied(StatusWord.NO_CHALLENGE)
        return challenge

    def tries(self, name: str, limit: int) -> int:
        """Tries left of a counter."""
        stored = self.memory.get(f"tries/{name}")
        return limit if stored is None else stored[0]

    def count(self, name: str, limit: int, *, right: bool) -> int:
        """Note a proof, right (all tries again) or wrong (one fewer), and keep it whatever becomes of the command."""
        left = limit if right else max(self.tries(name, limit) - 1, 0)
        self.memory.put_always(f"tries/{name}", bytes((left,)))
        return left


def device_factor(serial: bytes) -> bytes:
    """The factor from the maker's master keys to the device's own keys: the last 8 bytes of its serial (local)."""
    return serial[-FACTOR_BYTES:]


def select(device: Device, command: Command) -> bytes:
    """00A4: the MF by FID, the application by the beginning of its AID: its FCI, none with P2 0C. 6A82: no such."""
    wanted, aid = command.data, device.layout.aid
    if command.p1 not in (_BY_FID, _BY_AID) or command.p2 not in (0x00, _NO_FCI):
        raise Denied(StatusWord.WRONG_P1P2)
    known = aid.startswith(wanted) if command.p1 == _BY_AID else wanted == MASTER_FID
    if not wanted or not known:
        raise Denied(StatusWord.FILE_NOT_FOUND)
    return b"" if command.p2 else tlv(0x6F, tlv(0x84, aid) + tlv(0xA5, tlv(0x50, device.layout.name.encode("ascii"))))


def get_challenge(device: Device, command: Command) -> bytes:
    """0084: 4, 8 or 16 random bytes (Le 00: 8), good for the one command that uses them."""
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    length = 8 if command.le == SHORT_ANSWER else command.le
    if length not in _CHALLENGES:
        raise Denied(exact_length(8))
    device.session.challenge = device.random(length)
    return device.session.challenge


def get_response(device: Device, command: Command) -> bytes:
    """00C0: what 61xx announced. 6985 when nothing waits, 6Cxx when Le is more than waits (it goes on waiting)."""
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    waiting = device.session.pending
    if not waiting:
        raise Denied(StatusWord.CONDITIONS)
    if command.le is not None and len(waiting) < command.le < SHORT_ANSWER:
        raise Denied(exact_length(len(waiting)))
    device.session.pending = b""
    return waiting


def unknown(command: Command) -> Denied:
    """6D00 for an unknown instruction of a known class, 6E00 for an unknown class."""
    known = command.cla in _KNOWN_CLASSES
    return Denied(StatusWord.UNKNOWN_INSTRUCTION if known else StatusWord.UNKNOWN_CLASS)
