"""A file of people: its encoding, its header, its rows; a bad row spoils no other (S3)."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.systems.cards.person_data import FIELDS, PersonData, check_person

REQUIRED = ("social_security_number", "name", "sex", "birth", "ethnic_group")
_HEADERS = {
    "社会保障号码": "social_security_number",
    "身份证号码": "social_security_number",
    "公民身份号码": "social_security_number",
    "姓名": "name",
    "性别": "sex",
    "出生日期": "birth",
    "民族": "ethnic_group",
    "出生地": "birthplace",
    "电话": "phone",
    "手机号": "phone",
    "联系电话": "phone",
    "地址": "address",
    "住址": "address",
    **{name: name for name in FIELDS},
}
_CHINESE = {name: header for header, name in reversed(_HEADERS.items()) if header != name}
_LONGEST_LINE = 4000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: the person's data, or why it cannot be taken."""

    line: int
    data: PersonData | None
    refusal: Refused | None


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """The text of a file and the encoding it was in ("utf-8" or "gb18030")."""

    text: str
    encoding: str


def read_bounded(file: bytes | BinaryIO, limit: int) -> bytes:
    """The content of the file. Raises Refused(PERSON_FILE_TOO_LARGE) without reading further than the limit."""
    data = file if isinstance(file, bytes) else file.read(limit + 1)
    if len(data) > limit:
        raise Refused(Code.PERSON_FILE_TOO_LARGE, limit=limit)
    return data


def decode(data: bytes) -> PeopleFile:
    """UTF-8 with or without a mark, else GB18030; every byte must fit. Raises Refused(PERSON_FILE_ENCODING)."""
    if b"\0" not in data and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        for codec, name in (("utf-8-sig", "utf-8"), ("gb18030", "gb18030")):
            try:
                return PeopleFile(data.decode(codec).removeprefix("\ufeff"), name)
            except UnicodeDecodeError:
                continue
    raise Refused(Code.PERSON_FILE_ENCODING)


def rows_of(text: str, *, on: date, limit: int) -> Iterator[Row]:
    """Every line below the header that is not empty, in order.

    A line is a row: quotes protect commas, not line breaks, so a quote left open spoils its own line and no other.
    Raises Refused: PERSON_FILE_HEADER, PERSON_FILE_EMPTY, PERSON_FILE_ROWS.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    filled = [(number, line) for number, line in enumerate(lines, 1) if line.strip(" \t,;\ufeff")]
    if len(filled) < 2:
        raise Refused(Code.PERSON_FILE_EMPTY)
    if len(filled) - 1 > limit:
        raise Refused(Code.PERSON_FILE_ROWS, limit=limit)
    delimiter = max(",;\t", key=filled[0][1].count)
    columns = _header(_cells(filled[0][1], delimiter))
    for number, line in filled[1:]:
        try:
            yield Row(number, _person(line, columns, delimiter, on), None)
        except Refused as refusal:
            yield Row(number, None, refusal)


def _header(cells: list[str]) -> list[str | None]:
    columns = [_HEADERS.get(cell.strip(), _HEADERS.get(cell.strip().lower())) for cell in cells]
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        words = Term("、".join(_CHINESE[name] for name in missing), ", ".join(missing))
        raise Refused(Code.PERSON_FILE_HEADER, missing=words)
    return columns


def _person(line: str, columns: list[str | None], delimiter: str, on: date) -> PersonData:
    cells = _cells(line, delimiter)
    if len(cells) != len(columns):
        raise Refused(Code.PERSON_COLUMNS, got=len(cells), expected=len(columns))
    values = {name: cell for name, cell in zip(columns, cells, strict=True) if name is not None}
    return check_person(values, on=on)


def _cells(line: str, delimiter: str) -> list[str]:
    if len(line) > _LONGEST_LINE:
        raise Refused(Code.PERSON_FIELD_TOO_LONG, field=Term("整行", "the row"), limit=_LONGEST_LINE, got=len(line))
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        raise Refused(Code.PERSON_QUOTES) from None
