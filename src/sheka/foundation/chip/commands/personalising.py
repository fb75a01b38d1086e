"""The commands of a blank chip: WRITE KEY, WRITE PIN, SET IDENTITY, END PERSONALISATION (H3; instruction bytes local).

They work after the transport key was authenticated, and never again after END.
"""

from __future__ import annotations

from sheka.foundation.chip.apdu import Command, Denied, StatusWord
from sheka.foundation.chip.chip import Chip
from sheka.foundation.chip.commands.pin import MUST_CHANGE, PIN, TRIES
from sheka.foundation.chip.commands.rekeying import REKEYING, unwrapped
from sheka.foundation.chip.memory import Life
from sheka.foundation.chip.pins import is_pin


def write_key(chip: Chip, command: Command) -> bytes:
    """Data of `authentication.wrap_key_for_chip`: a key of the selected application, enciphered under KT with a MAC.

    6700 other length, 9302 wrong MAC (costs a try of KT), 6A88 a key id or version that the layout does not have here.
    """
    challenge = _session(chip, command)
    key_id, version, value = unwrapped(chip, command, chip.memory.need("transport key"), challenge)
    for key in chip.profile.keys:
        if key.application == chip.session.directory.name and key.key_id == key_id and version in key.versions:
            chip.put_key(key, version, value)
            return b""
    raise Denied(StatusWord.DATA_NOT_FOUND)


def write_pin(chip: Chip, command: Command) -> bytes:
    """The initial PIN, which the holder must change before use if the profile says so. 6A80: no PIN's form."""
    _session(chip, command)
    policy = chip.profile.pin
    if not is_pin(policy, command.data):
        raise Denied(StatusWord.WRONG_DATA)
    chip.memory.put(PIN, command.data)
    chip.memory.put(TRIES, bytes((policy.retry_limit,)))
    chip.memory.put(MUST_CHANGE, b"\1" if policy.initial_must_be_changed else None)
    return b""


def set_identity(chip: Chip, command: Command) -> bytes:
    """The historical bytes of the ATR, answered from the next reset on. 6700 other length."""
    _session(chip, command)
    if len(command.data) != chip.profile.atr.historical_bytes:
        raise Denied(StatusWord.WRONG_LENGTH)
    if command.data == chip.profile.atr.blank_historical:
        raise Denied(StatusWord.WRONG_DATA)
    chip.memory.put("historical", command.data)
    return b""


def end_personalisation(chip: Chip, command: Command) -> bytes:
    """From blank to in use, for good: the chip serial is erased, the transport key serves re-keying only from now on.

    6985 while a key, the PIN, the identity or the specification version is missing: no half-made card leaves the
    machine.
    """
    _session(chip, command)
    profile, memory = chip.profile, chip.memory
    if command.data:
        raise Denied(StatusWord.WRONG_LENGTH)
    complete = (
        all(chip.key_versions(key) for key in profile.keys)
        and memory.get(PIN) is not None
        and memory.need("historical") != profile.atr.blank_historical
        and chip.specification_version() is not None
    )
    if not complete:
        raise Denied(StatusWord.CONDITIONS)
    memory.put("life", bytes((Life.IN_USE,)))
    memory.put(REKEYING, memory.need("transport key"))
    memory.put("transport key", None)
    memory.put("chip serial", None)
    chip.session.forget_rights()
    return b""


def _session(chip: Chip, command: Command) -> bytes:
    """The personalisation session's challenge: 6982 outside a session, 6A86 for other P1 P2 than 00 00."""
    if not chip.session.personalising:
        raise Denied(StatusWord.NOT_AUTHORISED)
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    return chip.session.personalising
