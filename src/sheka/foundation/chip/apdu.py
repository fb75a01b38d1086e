"""Command and answer APDUs, short form, and the status words with their sentences (ISO/IEC 7816-4 §5; card.md §5)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache
from pathlib import Path

from sheka.foundation.refusals import Code, Refused

SHORT_DATA = 255
SHORT_ANSWER = 256


class StatusWord(IntEnum):
    """SW1 SW2 of an answer. 61xx, 6Cxx and 63Cx are made by `more`, `exact_length` and `tries_left`."""

    OK = 0x9000
    END_REACHED = 0x6282
    APPLICATION_BLOCKED = 0x6283
    AUTHENTICATION_FAILED = 0x6300
    MEMORY_FAILURE = 0x6581
    WRONG_LENGTH = 0x6700
    WRONG_STATE = 0x6901
    WRONG_FILE_KIND = 0x6981
    NOT_AUTHORISED = 0x6982
    LOCKED = 0x6983
    NO_CHALLENGE = 0x6984
    CONDITIONS = 0x6985
    NO_FILE_SELECTED = 0x6986
    MAC_MISSING = 0x6987
    MAC_DATA = 0x6988
    WRONG_DATA = 0x6A80
    NOT_SUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    RECORD_NOT_FOUND = 0x6A83
    NO_SPACE = 0x6A84
    WRONG_P1P2 = 0x6A86
    DATA_NOT_FOUND = 0x6A88
    WRONG_OFFSET = 0x6B00
    UNKNOWN_INSTRUCTION = 0x6D00
    UNKNOWN_CLASS = 0x6E00
    INTERNAL = 0x6F00
    MAC_WRONG = 0x9302
    LOCKED_FOR_GOOD = 0x9303
    NOT_ENOUGH = 0x9401
    KEY_INDEX = 0x9403
    PROOF_ABSENT = 0x9406


def more(count: int) -> int:
    """61xx: so many bytes wait for GET RESPONSE (00 stands for 256)."""
    return 0x6100 | count & 0xFF


def exact_length(count: int) -> int:
    """6Cxx: send the command again with this Le."""
    return 0x6C00 | count & 0xFF


def tries_left(count: int) -> int:
    """63Cx: wrong, so many tries left."""
    return 0x63C0 | count


def describe(status: int, language: str = "en") -> str:
    """What a status word says, in `zh-Hans` (any tag that starts with zh) or English; the number itself if unknown."""
    chinese = language.startswith("zh")
    if status >> 8 == 0x61:
        return f"还有{status & 0xFF}字节待取" if chinese else f"{status & 0xFF} more bytes to fetch"
    if status >> 8 == 0x6C:
        return f"长度应为{status & 0xFF}字节" if chinese else f"the length must be {status & 0xFF} bytes"
    if status >> 4 == 0x63C:
        return f"错误，还可尝试{status & 0x0F}次" if chinese else f"wrong, {status & 0x0F} tries left"
    found = _sentences().get(status)
    if found is None:
        return f"{status:04X}"
    return found[0] if chinese else found[1]


@dataclass(frozen=True, slots=True)
class Command:
    """A command APDU: header, data, and Le (None: no answer data expected; 256: all there is, sent as 00)."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None

    @property
    def header(self) -> bytes:
        """CLA INS P1 P2."""
        return bytes((self.cla, self.ins, self.p1, self.p2))

    @staticmethod
    def parse(apdu: bytes) -> Command:
        """A short APDU of case 1 to 4. Refused(CHIP_APDU_FORM) for anything else.

        >>> Command.parse(bytes.fromhex("00B2010412"))
        Command(cla=0, ins=178, p1=1, p2=4, data=b'', le=18)
        """
        if len(apdu) < 4:
            raise Refused(Code.CHIP_APDU_FORM, reason=f"{len(apdu)} bytes")
        cla, ins, p1, p2 = apdu[:4]
        body = apdu[4:]
        if not body:
            return Command(cla, ins, p1, p2)
        if len(body) == 1:
            return Command(cla, ins, p1, p2, b"", body[0] or SHORT_ANSWER)
        count = body[0]
        if count and len(body) == 1 + count:
            return Command(cla, ins, p1, p2, body[1:])
        if count and len(body) == 2 + count:
            return Command(cla, ins, p1, p2, body[1:-1], body[-1] or SHORT_ANSWER)
        raise Refused(Code.CHIP_APDU_FORM, reason=f"Lc {count:02X}, {len(body) - 1} bytes behind it")

    def to_bytes(self) -> bytes:
        """The APDU on the wire."""
        if len(self.data) > SHORT_DATA:
            raise Refused(Code.CHIP_APDU_FORM, reason=f"{len(self.data)} data bytes")
        if self.le is not None and not 1 <= self.le <= SHORT_ANSWER:
            raise Refused(Code.CHIP_APDU_FORM, reason=f"Le {self.le}")
        lc = bytes((len(self.data),)) if self.data else b""
        return self.header + lc + self.data + (b"" if self.le is None else bytes((self.le & 0xFF,)))

    def with_data(self, data: bytes) -> Command:
        """The same command with other data."""
        return replace(self, data=data)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: data, then the status word."""

    data: bytes = b""
    status: int = StatusWord.OK

    @staticmethod
    def parse(answer: bytes) -> Response:
        """The answer of at least two bytes."""
        if len(answer) < 2:
            raise Refused(Code.CHIP_APDU_FORM, reason=f"an answer of {len(answer)} bytes")
        return Response(answer[:-2], int.from_bytes(answer[-2:], "big"))

    @property
    def ok(self) -> bool:
        return self.status == StatusWord.OK

    def to_bytes(self) -> bytes:
        return self.data + self.status.to_bytes(2, "big")


class Denied(Exception):
    """Inside the card only: the command ends here with this status word and no data."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"{status:04X}")


@cache
def _sentences() -> dict[int, tuple[str, str]]:
    rows = tomllib.loads((Path(__file__).parent / "status_words.toml").read_text("utf-8"))
    return {int(row["sw"], 16): (row["zh"], row["en"]) for row in rows.values()}
