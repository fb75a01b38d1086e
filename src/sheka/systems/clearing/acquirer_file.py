"""The acquirer's file of a day (S8): one line a transaction, a header, and a trailer that proves the whole.

UTF-8, lines ended by LF, fields parted by "|":
    H|1|acquirer|settlement date YYYYMMDD
    D|business date YYYYMMDD|terminal 12|STAN 6|letter|card number|amount in fen|retrieval reference number
    T|number of D lines|sum taken|sum given back|SM3 of everything before this line, 64 hexadecimal digits
Letters: P purchase, C completion (money taken from the personal account); R reversal, V void, F refund (given back); r
and v: the reversal or void of what had given back (taken again).
Plain Python, read line by line; every line that is wrong is named, and a file with one wrong line is refused whole.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from sheka.foundation.refusals import Code, Refused

KINDS = {"P": 1, "R": 2, "C": 4, "V": 5, "F": 6, "r": 12, "v": 15}
TAKEN = frozenset(KINDS[letter] for letter in "PCrv")
"""Kinds that take money from the personal account; the others give it back."""
LETTERS = {number: letter for letter, number in KINDS.items()}
_LINE = re.compile(
    r"D\|(?P<date>[0-9]{8})\|(?P<terminal>[0-9]{12})\|(?P<stan>[0-9]{6})\|(?P<kind>[PRCVFrv])\|(?P<card>[0-9A-Z]{9})"
    r"\|(?P<amount>[0-9]{1,12})\|(?P<rrn>[0-9A-Za-z]{12})",
    re.ASCII,
)
_TRAILER = re.compile(r"T\|([0-9]{1,9})\|([0-9]{1,15})\|([0-9]{1,15})\|([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileLine:
    """A transaction as the acquirer has it; `kind` as in KINDS; `amount` in fen."""

    line: int
    business_date: date
    terminal: str
    stan: int
    kind: int
    card_number: str
    amount: int
    rrn: str


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file that holds: header, lines, sums and digest agree."""

    acquirer: str
    settlement_date: date
    digest: str
    purchases: int
    reversals: int
    lines: list[FileLine] = field(repr=False)


def render(acquirer: str, settlement_date: date, lines: Iterable[FileLine]) -> bytes:
    """The file of an acquirer. The numbers of the lines are those of the file, whatever the items say."""
    digest = hashlib.new("sm3")
    parts = [f"H|1|{acquirer}|{settlement_date:%Y%m%d}\n".encode()]
    sums = {True: 0, False: 0}
    count = 0
    for one in lines:
        count += 1
        sums[one.kind in TAKEN] += one.amount
        parts.append(
            f"D|{one.business_date:%Y%m%d}|{one.terminal}|{one.stan:06d}|{LETTERS[one.kind]}|{one.card_number}"
            f"|{one.amount}|{one.rrn}\n".encode()
        )
    body = b"".join(parts)
    digest.update(body)
    return body + f"T|{count}|{sums[True]}|{sums[False]}|{digest.hexdigest()}\n".encode()


def parse(data: bytes) -> ParsedFile:
    """Read and prove a file.

    Raises Refused: CLEARING_FILE_HEADER, CLEARING_FILE_LINE (how many are wrong, the first with its number and reason),
    CLEARING_FILE_TRAILER (count or sums differ, or there is none), CLEARING_FILE_DIGEST.
    """
    body, trailer = _parted(data)
    try:
        texts = body.decode("utf-8").split("\n")[:-1]
    except UnicodeDecodeError as error:
        raise Refused(Code.CLEARING_FILE_HEADER, reason=f"not UTF-8 at byte {error.start}") from None
    acquirer, settlement_date = _header(texts[0] if texts else "")
    lines, faults = [], []
    for item in _read(texts[1:]):
        if isinstance(item, FileLine):
            lines.append(item)
        else:
            faults.append(item)
    if faults:
        line, reason = faults[0]
        raise Refused(Code.CLEARING_FILE_LINE, count=len(faults), line=line, reason=reason, lines=faults[:100])
    purchases = sum(one.amount for one in lines if one.kind in TAKEN)
    reversals = sum(one.amount for one in lines if one.kind not in TAKEN)
    found = hashlib.new("sm3", body).hexdigest()
    _prove(trailer, len(lines), purchases, reversals, found)
    return ParsedFile(acquirer, settlement_date, found, purchases, reversals, lines)


def _parted(data: bytes) -> tuple[bytes, str]:
    """Everything before the trailer, and the trailer without its line end."""
    cut = data.rstrip(b"\n").rfind(b"\n") + 1
    trailer = data[cut:].decode("utf-8", "replace").rstrip("\n")
    if not trailer.startswith("T|"):
        raise Refused(Code.CLEARING_FILE_TRAILER, what="T", expected="T|…", got=trailer[:20])
    return data[:cut], trailer


def _header(text: str) -> tuple[str, date]:
    parts = text.split("|")
    if len(parts) != 4 or parts[:2] != ["H", "1"] or not 1 <= len(parts[2]) <= 15:
        raise Refused(Code.CLEARING_FILE_HEADER, reason=text[:60])
    day = _date(parts[3])
    if day is None:
        raise Refused(Code.CLEARING_FILE_HEADER, reason=f"date {parts[3][:20]}")
    return parts[2], day


def _read(texts: list[str]) -> Iterator[FileLine | tuple[int, str]]:
    for number, text in enumerate(texts, start=2):
        matched = _LINE.fullmatch(text)
        if matched is None:
            yield number, f"not D|date|terminal|STAN|letter|card|amount|reference: {text[:60]}"
            continue
        day = _date(matched["date"])
        if day is None:
            yield number, f"date {matched['date']}"
            continue
        yield FileLine(
            number,
            day,
            matched["terminal"],
            int(matched["stan"]),
            KINDS[matched["kind"]],
            matched["card"],
            int(matched["amount"]),
            matched["rrn"],
        )


def _prove(trailer: str, count: int, purchases: int, reversals: int, digest: str) -> None:
    matched = _TRAILER.fullmatch(trailer)
    if matched is None:
        raise Refused(Code.CLEARING_FILE_TRAILER, what="T", expected="T|n|P|R|SM3", got=trailer[:60])
    said = [int(text) for text in matched.groups()[:3]]
    for what, expected, got in zip(
        ("count", "purchases", "reversals"), said, (count, purchases, reversals), strict=True
    ):
        if expected != got:
            raise Refused(Code.CLEARING_FILE_TRAILER, what=what, expected=expected, got=got)
    if matched[4] != digest:
        raise Refused(Code.CLEARING_FILE_DIGEST)


def _date(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 and text.isdigit() else None
    except ValueError:
        return None
