"""UPDATE RECORD, UPDATE BINARY and APPEND RECORD, plain or with a MAC (ISO/IEC 7816-4 §11.3, §11.4; card.md §2, §5)."""

from __future__ import annotations

from sheka.foundation.chip.apdu import Command, Denied, StatusWord
from sheka.foundation.chip.chip import Chip
from sheka.foundation.chip.commands.reading import file_of, find_record, record_file, transparent_file
from sheka.foundation.chip.files import CyclicFile, RecordFile


def update_record(chip: Chip, command: Command) -> bytes:
    """00DC or 04DC: replace a record, named as in READ RECORD, by a whole one: tag ‖ length ‖ value.

    The right comes from the file's write key: authenticated before, or signing this command. 6981 for a file without
    tags, 6982 no right, 6A80 another tag, 6700 another length, 9302 wrong MAC.
    """
    file = record_file(chip, command.p2)
    if not isinstance(file, RecordFile):
        raise Denied(StatusWord.WRONG_FILE_KIND)
    data = chip.writable_data(file, command)
    number = find_record(chip, file, command.p1, command.p2)
    file.update(chip.memory, number, data)
    chip.session.record = number
    return b""


def update_binary(chip: Chip, command: Command) -> bytes:
    """00D6 or 04D6: overwrite bytes from an offset. 6B00 outside the file, 6A84 beyond its end."""
    file, offset = transparent_file(chip, command)
    data = chip.writable_data(file, command)
    if not data:
        raise Denied(StatusWord.WRONG_LENGTH)
    file.update(chip.memory, offset, data)
    return b""


def append_record(chip: Chip, command: Command) -> bytes:
    """00E2 or 04E2: a new record of a cyclic file, which becomes record 1. 6981 for any other file: it gains none."""
    if command.p1 or command.p2 & 0x07:
        raise Denied(StatusWord.WRONG_P1P2)
    file = file_of(chip, command.p2 >> 3)
    if not isinstance(file, CyclicFile):
        raise Denied(StatusWord.WRONG_FILE_KIND)
    file.append(chip.memory, chip.writable_data(file, command))
    chip.session.record = 1
    return b""
