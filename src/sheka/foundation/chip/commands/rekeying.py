"""New keys for a card in use: WRITE KEY, END RE-KEYING, RETIRE VERSION (K2; rotation; instruction bytes local).

The issuer's key of the profile must be authenticated first, then the transport key: neither the chip maker nor a
terminal re-keys a card alone. New keys wait in the session until all are there and become the card's with one commit;
a power cut before leaves the card as it was. The old version works on until it is retired.
"""

from __future__ import annotations

from sheka.foundation.chip.apdu import Command, Denied, StatusWord
from sheka.foundation.chip.authentication import WRAPPED_KEY_BYTES, unwrap_key_in_chip
from sheka.foundation.chip.chip import Chip, key_name
from sheka.foundation.chip.declarations import KeyDeclaration, Purpose

REKEYING = "rekeying key"


def rekeying_key(chip: Chip) -> bytes:
    """The transport key of a card in use: 6A88 before the profile's key was authenticated, as if there were none."""
    value = chip.memory.get(REKEYING)
    if value is None or not chip.is_authenticated(chip.profile.rekeying):
        raise Denied(StatusWord.DATA_NOT_FOUND)
    return value


def write_key(chip: Chip, command: Command) -> bytes:
    """80D4 00 00 in a re-keying session: a key of the selected application, in the version after the card's newest.

    6982 outside a session, 9302 wrong MAC (costs a try of KT), 6A88 a key id that the layout does not have here, 9403
    any other version.
    """
    challenge = _session(chip, command)
    key_id, version, value = unwrapped(chip, command, chip.memory.need(REKEYING), challenge)
    for key in chip.profile.keys_of(chip.session.directory.name):
        if key.key_id == key_id:
            if version != newest(chip) + 1 or version not in key.versions:
                raise Denied(StatusWord.KEY_INDEX)
            chip.session.new_keys[key.name] = value
            return b""
    raise Denied(StatusWord.DATA_NOT_FOUND)


def end_rekeying(chip: Chip, command: Command) -> bytes:
    """80EA 00 00: the new version is the card's newest, with all tries. 6985 while a key of the layout is missing."""
    _session(chip, command)
    if command.data:
        raise Denied(StatusWord.WRONG_LENGTH)
    version, keys = newest(chip) + 1, chip.profile.keys
    new = chip.session.new_keys
    if len(new) != len(keys):
        raise Denied(StatusWord.CONDITIONS)
    for key in keys:
        chip.put_key(key, version, new[key.name])
        chip.right(key)
    chip.session.forget_rights()
    return b""


def retire_version(chip: Chip, command: Command) -> bytes:
    """80EC 00 00: version 1: all keys of an older version are gone. 6985 the newest, 6A88 one that is not there."""
    _session(chip, command)
    if len(command.data) != 1:
        raise Denied(StatusWord.WRONG_LENGTH)
    version = command.data[0]
    if version not in chip.key_versions(_internal(chip)):
        raise Denied(StatusWord.DATA_NOT_FOUND)
    if version == newest(chip):
        raise Denied(StatusWord.CONDITIONS)
    for key in chip.profile.keys:
        chip.memory.put(key_name(key, version), None)
    return b""


def newest(chip: Chip) -> int:
    """The newest version of the card's keys."""
    return max(chip.key_versions(_internal(chip)))


def unwrapped(chip: Chip, command: Command, transport_key: bytes, challenge: bytes) -> tuple[int, int, bytes]:
    """(id, version, key) of WRITE KEY's data: 6700 other length, 6983 KT locked, 9302 wrong MAC (costs a try of KT)."""
    if len(command.data) != WRAPPED_KEY_BYTES:
        raise Denied(StatusWord.WRONG_LENGTH)
    transport = chip.profile.transport
    chip.need_tries(transport)
    found = unwrap_key_in_chip(chip.algorithm, transport_key, challenge, command.data)
    if found is None:
        raise chip.wrong(transport, mac=True)
    chip.right(transport)
    return found


def _internal(chip: Chip) -> KeyDeclaration:
    return next(key for key in chip.profile.keys if key.purpose is Purpose.INTERNAL)


def _session(chip: Chip, command: Command) -> bytes:
    """The challenge of the re-keying session: 6982 outside one, 6A86 for other P1 P2 than 00 00."""
    if not chip.session.rekeying:
        raise Denied(StatusWord.NOT_AUTHORISED)
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    return chip.session.rekeying
