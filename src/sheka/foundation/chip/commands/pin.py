"""VERIFY, CHANGE PIN, PIN CHANGE/UNBLOCK (card.md §5, §6): one PIN, a retry limit; the initial PIN opens nothing."""

from __future__ import annotations

import hmac

from sheka.foundation.chip.apdu import Command, Denied, StatusWord, tries_left
from sheka.foundation.chip.chip import Chip
from sheka.foundation.chip.pins import is_pin
from sheka.foundation.chip.secure_messaging import read_pin_block
from sheka.foundation.crypto.algorithms import block_bytes
from sheka.foundation.crypto.ciphers import decrypt_ecb

PIN, TRIES, MUST_CHANGE = "pin", "pin/tries", "pin/must change"
_SEPARATOR = 0xFF
_UNBLOCK, _RELOAD = 0x00, 0x01


def verify(chip: Chip, command: Command) -> bytes:
    """0020 00 00: the PIN, or no data to ask for the state (9000 verified, 63Cx not, 6983 locked).

    63Cx wrong, 6983 locked, and the profile's status (6985) for the right initial PIN: change it first.
    """
    _need_here(chip, command)
    if not command.data:
        if chip.session.pin_verified:
            return b""
        left = _tries(chip)
        raise Denied(tries_left(left) if left else StatusWord.LOCKED)
    chip.session.pin_verified = False
    _check_pin(chip, command.data)
    if chip.memory.get(MUST_CHANGE):
        raise Denied(chip.profile.pin.initial_status)
    chip.session.pin_verified = True
    return b""


def change_pin(chip: Chip, command: Command) -> bytes:
    """805E 01 00: old PIN ‖ FF ‖ new PIN. 6A80: the new one has no PIN's form or is the old one; 63Cx, 6983."""
    if command.p1 != 0x01 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    _need_application(chip)
    old, separator, new = command.data.partition(bytes((_SEPARATOR,)))
    if not separator or not is_pin(chip.profile.pin, new) or old == new:
        raise Denied(StatusWord.WRONG_DATA)
    chip.session.pin_verified = False
    _check_pin(chip, old)
    chip.memory.put(PIN, new)
    chip.memory.put(MUST_CHANGE, None)
    return b""


def pin_change_unblock(chip: Chip, command: Command) -> bytes:
    """8424 00 P2, PUK authenticated, MAC under STK: P2 00 gives the tries back, 01 also loads a new PIN (local).

    The new PIN comes as a PIN block enciphered under the PUK: 6A80 when it does not decipher to one.
    """
    if command.p1 or command.p2 not in (_UNBLOCK, _RELOAD):
        raise Denied(StatusWord.WRONG_P1P2)
    _need_application(chip)
    policy, blocking = chip.profile.pin, chip.profile.blocking
    if not chip.is_authenticated(blocking.pin):
        raise Denied(StatusWord.NOT_AUTHORISED)
    data = chip.unsecured(command, chip.profile.key(blocking.mac))
    if command.p2 == _UNBLOCK:
        if data:
            raise Denied(StatusWord.WRONG_LENGTH)
    else:
        if len(data) != block_bytes(chip.algorithm):
            raise Denied(StatusWord.WRONG_LENGTH)
        new = read_pin_block(decrypt_ecb(chip.algorithm, chip.key_value(chip.profile.key(blocking.pin)), data))
        if new is None or not is_pin(policy, new):
            raise Denied(StatusWord.WRONG_DATA)
        chip.memory.put(PIN, new)
        chip.memory.put(MUST_CHANGE, b"\1" if policy.reload_must_be_changed else None)
    chip.session.pin_verified = False
    chip.memory.put(TRIES, bytes((policy.retry_limit,)))
    return b""


def _check_pin(chip: Chip, given: bytes) -> None:
    """Compare and count. The counter is written whether the PIN was right or wrong: the time tells nothing."""
    left = _tries(chip)
    if not left:
        raise Denied(StatusWord.LOCKED)
    reference = chip.memory.need(PIN)
    right = is_pin(chip.profile.pin, given) and hmac.compare_digest(reference, given)
    left = chip.profile.pin.retry_limit if right else left - 1
    chip.memory.put_always(TRIES, bytes((left,)))
    if not right:
        raise Denied(tries_left(left))


def _tries(chip: Chip) -> int:
    return chip.memory.need(TRIES)[0]


def _need_here(chip: Chip, command: Command) -> None:
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    _need_application(chip)


def _need_application(chip: Chip) -> None:
    """The PIN is known in its application and below it: 6A88 elsewhere."""
    if chip.profile.pin.application not in chip.session.directory.lineage:
        raise Denied(StatusWord.DATA_NOT_FOUND)
