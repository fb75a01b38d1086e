"""From a request and its outcome to the answer: the same outcome always gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from sheka.foundation.iso8583 import Value, encode, mac_field
from sheka.foundation.refusals import Refused
from sheka.systems.transactions.response_codes import APPROVED, response_code
from sheka.systems.transactions.switch.verbs import TOTALS

if TYPE_CHECKING:
    from sheka.systems.transactions.switch.requests import Request

EMPTY_MAC = bytes(8)
_ECHOED = (3, 4, 7, 11, 12, 13, 19, 25, 37, 41, 42, 49, 60, 62, 70)
_WIDE = 86
"""From this field on 16 digits, before it 10."""
IN_BALANCE, OUT_OF_BALANCE = "1", "2"


class Outcome(NamedTuple):
    """What became of a request: refusal number (0: approved), number of its row, balance in fen, day of settlement,
    the number of the field that differs from an earlier request of the same key, and further fields of the answer."""

    refusal: int
    id: int | None = None
    balance: int | None = None
    settlement: date | None = None
    differs: int | None = None
    more: Mapping[int, Value] | None = None


def answer(request: Request, outcome: Outcome, signed: bool = True) -> bytes:
    """The encoded answer; when `signed`, its last 8 bytes are empty and wait for the MAC."""
    asked = request.fields
    fields: dict[int, Value] = {number: asked[number] for number in _ECHOED if number in asked}
    refusal = outcome.refusal
    fields[39] = response_code(refusal) if refusal else APPROVED
    if refusal:
        fields[63] = f"{refusal:04d}"
    elif outcome.id is not None:
        fields[38] = f"{outcome.id % 1_000_000:06d}"
    if outcome.settlement is not None:
        fields[15] = f"{outcome.settlement:%m%d}"
    if outcome.balance is not None:
        fields[54] = f"0002156C{outcome.balance:012d}"
    if outcome.differs is not None:
        fields[44] = str(outcome.differs)
    if outcome.more is not None:
        fields.update(outcome.more)
    if signed:
        fields[mac_field(fields)] = EMPTY_MAC
    return encode(answer_type(request.type), fields)


def batch_fields(refusal: int, ours: list[int]) -> dict[int, Value]:
    """What an answer to a settlement says beside the code: in balance or not, and our own totals."""
    fields: dict[int, Value] = {66: OUT_OF_BALANCE if refusal else IN_BALANCE}
    for number, total in zip(TOTALS, ours, strict=True):
        fields[number] = f"{total:010d}" if number < _WIDE else f"{total:016d}"
    return fields


def answer_type(kind: str) -> str:
    """0200 and 0201 → 0210, 0420 → 0430 (ISO 8583 clause 4.1: the third digit, one up; repeats answer like the
    first).
    """
    return f"{kind[:2]}{int(kind[2]) + 1}0"


def refuse_frame(frame: bytes, refusal: Refused) -> bytes | None:
    """An answer to what could not be read: type, response code 30 and the refusal.

    None when not even the type is readable.
    """
    kind = frame[:4]
    if len(frame) < 4 or not kind.isdigit() or kind[2:3] not in b"02468":
        return None
    fields: dict[int, Value] = {39: response_code(refusal.number), 63: f"{refusal.number:04d}"}
    named = refusal.facts.get("field")
    if isinstance(named, int):
        fields[44] = str(named)
    return encode(answer_type(kind.decode()), fields)
