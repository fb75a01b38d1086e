"""INTERNAL and EXTERNAL AUTHENTICATE (ISO/IEC 7816-4 §11.5; card.md §5, §6; C1). P1: key version, 00 the newest."""

from __future__ import annotations

from sheka.foundation.chip.apdu import Command, Denied, StatusWord
from sheka.foundation.chip.authentication import external_cryptogram, internal_response
from sheka.foundation.chip.chip import Chip
from sheka.foundation.chip.commands.rekeying import rekeying_key
from sheka.foundation.chip.declarations import Purpose
from sheka.foundation.chip.memory import Life


def internal_authenticate(chip: Chip, command: Command) -> bytes:
    """0088: factor 8 ‖ source 8 in, the card's answer 8 out. P2 00 means the IRK.

    6700 other lengths, 6A88 no such key here, 6985 a key of another purpose.
    """
    if len(command.data) != 16:
        raise Denied(StatusWord.WRONG_LENGTH)
    key = chip.key_declared(command.p2) if command.p2 else chip.key_for(Purpose.INTERNAL)
    if key.purpose is not Purpose.INTERNAL:
        raise Denied(StatusWord.CONDITIONS)
    value = chip.key_value(key, command.p1)
    return internal_response(chip.algorithm, value, command.data[:8], command.data[8:])


def external_authenticate(chip: Chip, command: Command) -> bytes:
    """0082: cryptogram 8 ‖ source 8 over the challenge of 8 bytes fetched before. P2 is the key id.

    63Cx wrong, x tries left; 6983 locked; 6984 no challenge; 6A88 no such key here; 6985 a key of another purpose. On a
    blank chip only the transport key can be named, and success opens the personalisation session; on a card in use the
    transport key can be named after the key that the profile asks for, and success opens a re-keying session.
    """
    if len(command.data) != 16:
        raise Denied(StatusWord.WRONG_LENGTH)
    blank = chip.memory.life is Life.BLANK
    transport = command.p2 == chip.profile.transport.key_id
    if blank or transport:
        if command.p1 or not transport:
            raise Denied(StatusWord.DATA_NOT_FOUND)
        key, value = chip.profile.transport, chip.memory.need("transport key") if blank else rekeying_key(chip)
    else:
        key = chip.key_declared(command.p2)
        if not key.purpose.authenticates_externally:
            raise Denied(StatusWord.CONDITIONS)
        value = chip.key_value(key, command.p1)
    chip.need_tries(key)
    challenge = chip.take_challenge(8)
    cryptogram, source = command.data[:8], command.data[8:]
    chip.session.authenticated.discard((key.application, key.key_id))
    chip.session.personalising = chip.session.rekeying = b""
    chip.check(key, external_cryptogram(chip.algorithm, value, challenge, source), cryptogram)
    if blank:
        chip.session.personalising = challenge
    elif transport:
        chip.session.rekeying, chip.session.new_keys = challenge, {}
    else:
        chip.session.authenticated.add((key.application, key.key_id))
    return b""
