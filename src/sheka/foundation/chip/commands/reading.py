"""READ RECORD by number or tag, READ BINARY (ISO/IEC 7816-4 §11.3, §11.4; card.md §5)."""

from __future__ import annotations

from sheka.foundation.chip.apdu import SHORT_ANSWER, Command, Denied, Response, StatusWord, exact_length
from sheka.foundation.chip.chip import Chip
from sheka.foundation.chip.directory import File
from sheka.foundation.chip.files import CyclicFile, RecordFile, TransparentFile

BY_NUMBER = 0x04
_FIRST, _LAST, _NEXT = 0x00, 0x01, 0x02
_PREVIOUS = 0x03


def read_record(chip: Chip, command: Command) -> bytes:
    """00B2: the whole record, tag ‖ length ‖ value.

    P1 is a number (P2 …04) or a tag (P2 …00 the first of it, 01 last, 02 next, 03 previous).

    6Cxx when Le is neither 00 nor the record's length, 6A83 no such record, 6981 no record file, 6982 no right, 6986
    no file.
    """
    file = record_file(chip, command.p2)
    chip.need_read(file)
    number = find_record(chip, file, command.p1, command.p2)
    record = file.read(chip.memory, number)
    chip.session.record = number
    if command.le not in (SHORT_ANSWER, len(record)):
        raise Denied(exact_length(len(record)))
    return record


def read_binary(chip: Chip, command: Command) -> bytes | Response:
    """00B0: bytes from an offset. 6B00 outside the file; 6282 with what there is when Le goes beyond its end."""
    file, offset = transparent_file(chip, command)
    chip.need_read(file)
    if offset >= file.size:
        raise Denied(StatusWord.WRONG_OFFSET)
    wanted = command.le or SHORT_ANSWER
    data = file.read(chip.memory)[offset : offset + wanted]
    if len(data) < wanted < SHORT_ANSWER:
        return Response(data, StatusWord.END_REACHED)
    return data


def file_of(chip: Chip, sfi: int) -> File:
    """The file of a short file identifier, which becomes current; 0 is the current file (6986 when there is none)."""
    session = chip.session
    if not sfi:
        if session.file is None:
            raise Denied(StatusWord.NO_FILE_SELECTED)
        return session.file
    file = session.directory.by_sfi.get(sfi)
    if file is None:
        raise Denied(StatusWord.FILE_NOT_FOUND)
    chip.select_file(file)
    return file


def record_file(chip: Chip, p2: int) -> RecordFile | CyclicFile:
    """The record file that P2 names in its upper five bits: 6981 when the file has no records."""
    file = file_of(chip, p2 >> 3)
    if isinstance(file, TransparentFile):
        raise Denied(StatusWord.WRONG_FILE_KIND)
    return file


def transparent_file(chip: Chip, command: Command) -> tuple[TransparentFile, int]:
    """The file and offset of P1 P2: with bit 8 of P1 an SFI and an offset of one byte, else an offset of 15 bits."""
    if command.p1 & 0x80:
        if command.p1 & 0x60:
            raise Denied(StatusWord.WRONG_P1P2)
        file, offset = file_of(chip, command.p1 & 0x1F), command.p2
    else:
        file, offset = file_of(chip, 0), command.p1 << 8 | command.p2
    if not isinstance(file, TransparentFile):
        raise Denied(StatusWord.WRONG_FILE_KIND)
    return file, offset


def find_record(chip: Chip, file: RecordFile | CyclicFile, p1: int, p2: int) -> int:
    """The number of the record that P1 and P2 name: 6A83 when there is none, 6A86 for a way of naming not supported."""
    mode, current, count = p2 & 0x07, chip.session.record, file.count(chip.memory)
    if mode == BY_NUMBER:
        number = p1 or current
        if not 1 <= number <= count:
            raise Denied(StatusWord.RECORD_NOT_FOUND)
        return number
    if mode > _PREVIOUS:
        raise Denied(StatusWord.WRONG_P1P2)
    numbers = [n for n in range(1, count + 1) if not p1 or (file.tags and file.tags[n - 1] == p1)]
    if mode == _NEXT:
        numbers = [number for number in numbers if number > current]
    elif mode == _PREVIOUS:
        numbers = [number for number in numbers if not current or number < current]
    if not numbers:
        raise Denied(StatusWord.RECORD_NOT_FOUND)
    return numbers[-1] if mode in (_LAST, _PREVIOUS) else numbers[0]
