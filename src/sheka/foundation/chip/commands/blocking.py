"""APPLICATION BLOCK and UNBLOCK, CARD BLOCK (card.md §5, §6).

Each needs the province's lock key authenticated and a MAC under the ministry's STK: neither level blocks alone (local).
"""

from __future__ import annotations

from sheka.foundation.chip.apdu import Command, Denied, StatusWord
from sheka.foundation.chip.chip import Chip
from sheka.foundation.chip.memory import Life

_TEMPORARY, _PERMANENT = 0x00, 0x01


def application_block(chip: Chip, command: Command) -> bytes:
    """841E 00 P2: block the selected application, P2 00 until unblocked, 01 for good. Data: MAC."""
    if command.p1 or command.p2 not in (_TEMPORARY, _PERMANENT):
        raise Denied(StatusWord.WRONG_P1P2)
    _prove(chip, command, chip.profile.blocking.application)
    degree = 2 if command.p2 == _PERMANENT else 1
    chip.memory.put(_name(chip), bytes((max(degree, _own_block(chip)),)))
    chip.session.forget_rights()
    return b""


def application_unblock(chip: Chip, command: Command) -> bytes:
    """8418 00 00: open the selected application again. 6985 when it is not blocked itself. Data: MAC."""
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    _prove(chip, command, chip.profile.blocking.application)
    if _own_block(chip) != 1:
        raise Denied(StatusWord.CONDITIONS)
    chip.memory.put(_name(chip), None)
    return b""


def card_block(chip: Chip, command: Command) -> bytes:
    """8416 00 00: the end of the card; every later command answers 6A81. Data: MAC."""
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    _prove(chip, command, chip.profile.blocking.card)
    chip.memory.put("life", bytes((Life.BLOCKED,)))
    chip.session.forget_rights()
    return b""


def _prove(chip: Chip, command: Command, lock_key: str) -> None:
    """6985 outside an application, 6982 without the lock key, 9302 for a wrong MAC."""
    if chip.session.directory is chip.tree.master:
        raise Denied(StatusWord.CONDITIONS)
    if not chip.is_authenticated(lock_key):
        raise Denied(StatusWord.NOT_AUTHORISED)
    if chip.unsecured(command, chip.profile.key(chip.profile.blocking.mac)):
        raise Denied(StatusWord.WRONG_LENGTH)


def _name(chip: Chip) -> str:
    return f"blocked/{chip.session.directory.name}"


def _own_block(chip: Chip) -> int:
    stored = chip.memory.get(_name(chip))
    return stored[0] if stored else 0
