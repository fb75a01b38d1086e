"""The file of deposits (S6): the monthly allocation, one line a payment, a header, and a trailer that proves the whole.

UTF-8, lines ended by LF, fields parted by "|"; gzip is taken too:
    H|2|organisation|fund|scheme|period YYYYMM|number of the file, made by its sender
    D|account number|amount in fen|reference, at most 60 characters
    T|number of D lines|sum of their amounts|SM3 of everything before this line, 64 hexadecimal digits
Plain Python, read line by line: a million lines never stand in memory.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sheka.foundation.refusals import Code, Refused

LONGEST_LINE = 400
_HEADER = re.compile(
    r"H\|2\|(?P<organisation>[0-9A-Z-]{1,20})\|(?P<fund>[0-9A-Za-z]{1,20})\|(?P<scheme>[0-9]{3})"
    r"\|(?P<period>[0-9]{4}(?:0[1-9]|1[0-2]))\|(?P<number>[0-9A-Za-z-]{1,30})",
    re.ASCII,
)
_LINE = re.compile(
    r"D\|(?P<account>[0-9A-Za-z]{1,29})\|(?P<amount>[0-9]{1,15})\|(?P<reference>[^|\x00-\x1f\x7f]{0,60})"
)
_TRAILER = re.compile(r"T\|([0-9]{1,9})\|([0-9]{1,18})\|([0-9a-f]{64})", re.ASCII)
_AMOUNT = re.compile(r"D\|[^|]*\|([0-9]{1,15})\|")


@dataclass(frozen=True, slots=True)
class Header:
    """Whose file it is: `fund` is the party of the fund account that pays."""

    organisation: str
    fund: str
    scheme: str
    period: str
    number: str


@dataclass(frozen=True, slots=True)
class Item:
    """A line: what it pays, or with `refusal` above 0 why it cannot (`account` is then what stood there, cut)."""

    line: int
    account: str
    amount: int
    reference: str
    refusal: int = 0


class DepositReader:
    """Reads a file once: `header` first, then the lines; when they are through, the totals hold or it has refused.

    Raises Refused: DEPOSIT_FILE_HEADER, DEPOSIT_FILE_TRAILER, DEPOSIT_FILE_DIGEST, DEPOSIT_FILE_SIZE.
    """

    def __init__(self, source: BinaryIO, *, most_lines: int, most_fen: int = 10**15 - 1) -> None:
        self._source = plain(source)
        self._most_lines, self._most_fen = most_lines, most_fen
        self._digest = hashlib.new("sm3")
        self.count = self.total = self.refused = self.refused_total = 0
        first = self._readline()
        self._digest.update(first)
        self.header = read_header(first)

    @property
    def digest(self) -> str:
        """SM3 of what was read so far but for the trailer, in hexadecimal digits."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Item]:
        number, trailer = 1, b""
        while raw := self._readline():
            number += 1
            if trailer:
                raise Refused(Code.DEPOSIT_FILE_TRAILER, what="T", expected="-", got=f"{number}")
            if raw.startswith(b"T|"):
                trailer = raw
                continue
            self._digest.update(raw)
            if number - 1 > self._most_lines:
                raise Refused(Code.DEPOSIT_FILE_SIZE, reason=f"> {self._most_lines:,}")
            yield self._item(number, raw)
        self._prove(trailer)

    def _readline(self) -> bytes:
        try:
            raw = self._source.readline(LONGEST_LINE + 1)
        except (OSError, EOFError, zlib.error):
            raise Refused(Code.DEPOSIT_FILE_SIZE, reason="gzip") from None
        if len(raw) > LONGEST_LINE:
            raise Refused(Code.DEPOSIT_FILE_SIZE, reason=f"> {LONGEST_LINE} bytes a line")
        return raw

    def _item(self, number: int, raw: bytes) -> Item:
        try:
            text = raw.decode("utf-8").removesuffix("\n")
        except UnicodeDecodeError:
            text = ""
        self.count += 1
        matched = _LINE.fullmatch(text)
        if matched is None:
            found = _AMOUNT.match(text)
            amount = int(found[1]) if found else 0
            self._count_refused(amount)
            named = text.split("|")[1][:29].replace("\x00", "?") if "|" in text else ""
            return Item(number, named, amount, "", Code.DEPOSIT_LINE_FORM.value)
        amount = int(matched["amount"])
        refusal = 0 if 0 < amount <= self._most_fen else Code.TRANSFER_AMOUNT.value
        if refusal:
            self._count_refused(amount)
        else:
            self.total += amount
        return Item(number, matched["account"], amount, matched["reference"].strip(), refusal)

    def _count_refused(self, amount: int) -> None:
        self.total += amount
        self.refused += 1
        self.refused_total += amount

    def _prove(self, trailer: bytes) -> None:
        matched = _TRAILER.fullmatch(trailer.decode("utf-8", "replace").removesuffix("\n"))
        if matched is None:
            raise Refused(
                Code.DEPOSIT_FILE_TRAILER, what="T", expected="T|n|fen|SM3", got=repr(trailer[:40])[2:-1] or "-"
            )
        for what, said, got in (("T|n", int(matched[1]), self.count), ("T|…|fen", int(matched[2]), self.total)):
            if said != got:
                raise Refused(Code.DEPOSIT_FILE_TRAILER, what=what, expected=said, got=got)
        if matched[3] != self.digest:
            raise Refused(Code.DEPOSIT_FILE_DIGEST)


def read_header(raw: bytes) -> Header:
    """The first line. Raises Refused(DEPOSIT_FILE_HEADER)."""
    text = raw.decode("utf-8", "replace").removesuffix("\n")
    matched = _HEADER.fullmatch(text)
    if matched is None:
        shown = text[:60].replace("\ufeff", "[BOM]").replace("\r", "␍")  # what an editor adds and nobody sees
        raise Refused(Code.DEPOSIT_FILE_HEADER, reason=shown or "-")
    return Header(**matched.groupdict())


def plain(source: BinaryIO) -> BinaryIO:
    """The source itself, or what a gzip file holds. The source can be sought."""
    start = source.read(2)
    source.seek(0)
    return gzip.GzipFile(fileobj=source) if start == b"\x1f\x8b" else source  # type: ignore[return-value]


def digest_of(source: BinaryIO, *, most_bytes: int) -> str:
    """SM3 of everything before the trailer, as the trailer says it, without judging the lines.

    Raises Refused(DEPOSIT_FILE_SIZE).
    """
    found, seen = hashlib.new("sm3"), 0
    reading = plain(source)
    try:
        while raw := reading.readline(LONGEST_LINE + 1):
            seen += len(raw)
            if seen > most_bytes:
                raise Refused(Code.DEPOSIT_FILE_SIZE, reason=f"> {most_bytes:,} bytes")
            if raw.startswith(b"T|"):
                break
            found.update(raw)
    except (OSError, EOFError, zlib.error):
        raise Refused(Code.DEPOSIT_FILE_SIZE, reason="gzip") from None
    source.seek(0)
    return found.hexdigest()


def render(header: Header, lines: Iterable[tuple[str, int, str]]) -> Iterator[bytes]:
    """The lines of a file: account number, amount in fen, reference of each payment."""
    digest, count, total = hashlib.new("sm3"), 0, 0
    first = f"H|2|{header.organisation}|{header.fund}|{header.scheme}|{header.period}|{header.number}\n".encode()
    digest.update(first)
    yield first
    for account, amount, reference in lines:
        raw = f"D|{account}|{amount}|{reference}\n".encode()
        digest.update(raw)
        count, total = count + 1, total + amount
        yield raw
    yield f"T|{count}|{total}|{digest.hexdigest()}\n".encode()
