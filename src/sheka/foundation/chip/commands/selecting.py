"""SELECT: by FID, child, EF or AID (ISO/IEC 7816-4 §11.2; card.md §5)."""

from __future__ import annotations

from sheka.foundation.chip.apdu import Command, Denied, Response, StatusWord
from sheka.foundation.chip.chip import Chip
from sheka.foundation.chip.directory import Directory

_BY_FID, _CHILD, _EF, _BY_NAME = 0x00, 0x01, 0x02, 0x04
_FIRST, _NEXT, _NO_FCI = 0x00, 0x02, 0x0C
_SHORTEST_NAME = 5


def select(chip: Chip, command: Command) -> bytes | Response:
    """00A4: a dedicated file answers its FCI, an elementary file nothing (local).

    6A82 not found (the selection stays), 6A86 other P1 P2, 6283 a blocked application (selected all the same), 9303 one
    locked for good (not selected).
    """
    if command.p2 not in (_FIRST, _NEXT, _NO_FCI) or (command.p2 == _NEXT and command.p1 != _BY_NAME):
        raise Denied(StatusWord.WRONG_P1P2)
    if command.p1 == _BY_NAME:
        return _enter(chip, _by_name(chip, command), command)
    if command.p1 not in (_BY_FID, _CHILD, _EF):
        raise Denied(StatusWord.WRONG_P1P2)
    if not command.data and command.p1 == _BY_FID:
        return _enter(chip, chip.tree.master, command)
    if len(command.data) != 2:
        raise Denied(StatusWord.WRONG_LENGTH)
    return _by_fid(chip, command)


def _by_fid(chip: Chip, command: Command) -> bytes | Response:
    current = chip.session.directory
    if command.p1 != _CHILD and (file := current.by_fid.get(command.data)) is not None:
        chip.select_file(file)
        return b""
    directory = chip.tree.by_fid.get(command.data) if command.p1 != _EF else None
    if directory is None or (command.p1 == _CHILD and directory.parent is not current):
        raise Denied(StatusWord.FILE_NOT_FOUND)
    return _enter(chip, directory, command)


def _by_name(chip: Chip, command: Command) -> Directory:
    """The application of an AID or of its first bytes; P2 02 gives the one after the current one."""
    found = chip.tree.matching(command.data) if len(command.data) >= _SHORTEST_NAME else []
    if command.p2 == _NEXT:
        current = chip.session.directory
        found = found[found.index(current) + 1 :] if current in found else []
    if not found:
        raise Denied(StatusWord.FILE_NOT_FOUND)
    return found[0]


def _enter(chip: Chip, directory: Directory, command: Command) -> bytes | Response:
    block = chip.block_of(directory)
    if block > 1:
        raise Denied(StatusWord.LOCKED_FOR_GOOD)
    chip.select_directory(directory)
    if block:
        fci = b"" if command.le is None or command.p2 == _NO_FCI else chip.fci(directory)[: command.le]
        return Response(fci, StatusWord.APPLICATION_BLOCKED)
    return b"" if command.p2 == _NO_FCI else chip.fci(directory)
