"""GET CHALLENGE, GET RESPONSE and GET DATA (ISO/IEC 7816-4 §11.5, §11.8; card.md §5)."""

from __future__ import annotations

from sheka.foundation.chip.apdu import SHORT_ANSWER, Command, Denied, StatusWord, exact_length
from sheka.foundation.chip.chip import Chip
from sheka.foundation.chip.declarations import Purpose
from sheka.foundation.chip.memory import Life

_CHALLENGES = (4, 8, 16)


def get_challenge(chip: Chip, command: Command) -> bytes:
    """0084: 4, 8 or 16 random bytes (Le 00: 8), good for the one command that uses them."""
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    length = 8 if command.le == SHORT_ANSWER else command.le
    if length not in _CHALLENGES:
        raise Denied(exact_length(8))
    chip.session.challenge = chip.random(length)
    return chip.session.challenge


def get_response(chip: Chip, command: Command) -> bytes:
    """00C0: what 61xx announced. 6985 when nothing waits, 6Cxx when Le is more than waits (it goes on waiting)."""
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    waiting = chip.session.pending
    if not waiting:
        raise Denied(StatusWord.CONDITIONS)
    if command.le is not None and len(waiting) < command.le < SHORT_ANSWER:
        raise Denied(exact_length(len(waiting)))
    chip.session.pending = b""
    return waiting


def get_data(chip: Chip, command: Command) -> bytes:
    """GET DATA (local): the chip serial of a blank chip, or life ‖ algorithm ‖ newest version of the IRK."""
    wanted = command.p1 << 8 | command.p2
    objects = chip.profile.data_objects
    life = chip.memory.life
    if wanted == objects["chip_serial"] and life is Life.BLANK:
        data = chip.memory.need("chip serial")
    elif wanted == objects["chip_state"]:
        internal = next(key for key in chip.profile.keys if key.purpose is Purpose.INTERNAL)
        data = bytes((life, chip.algorithm, max(chip.key_versions(internal), default=0)))
    else:
        raise Denied(StatusWord.DATA_NOT_FOUND)
    if command.le not in (SHORT_ANSWER, len(data)):
        raise Denied(exact_length(len(data)))
    return data
