"""Messages of the switch decoded field by field (S4, S10): what a terminal sent and what it was answered.

    for message in messages_of(actor, "460100000001", date(2026, 11, 22), 17):
        print(message.came_at, message.request.title.zh, [field.value for field in message.request.fields])

Each reading is recorded; numbers of cards and accounts are masked. Whoever needs them whole says for what
(actions/reveal_messages.py). PIN block and track 2 are nowhere: blanked before they were kept (docs/adr/0031).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sheka.foundation.iso8583 import Value, decode
from sheka.foundation.iso8583.prefix import readable_prefix
from sheka.foundation.numbers import mask_card_number
from sheka.foundation.numbers.masking import mask_middle
from sheka.foundation.refusals import Refused
from sheka.foundation.terms import Term
from sheka.office.audit.reads import read_recorded
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.readings import NOTHING, meaning_of, name_of, refusal_said, tags_of, type_of
from sheka.systems.transactions.watch_models import SwitchMessage

LATE = timedelta(days=31)
"""How long after its business date a message may still speak of a transaction: repeats and late reversals."""
CARD_NUMBER, CARD_CODE, CHIP, PIN_BLOCK, TRACK_2, ADDITIONAL = 62, 61, 55, 52, 35, 48
SM4_PIN_BLOCK = 59
_MASKED = (2, 102, 103, CARD_CODE, ADDITIONAL)
_BLANKED = Term("收到后即清除，不留存", "blanked on arrival, never kept")
_KEYS = Term("密钥数据，不显示", "keys of the line, not shown")


@dataclass(frozen=True, slots=True)
class Tag:
    """One item of the chip data (field 55)."""

    tag: str
    name: Term
    value: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `meaning` is empty where the value says it all; bytes are shown as hexadecimal."""

    number: int
    name: Term
    value: str
    meaning: Term = NOTHING
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One message as it stood on the line. `whole`: every field could be read."""

    type: str
    title: Term
    fields: tuple[Field, ...]
    whole: bool
    size: int

    def field(self, number: int) -> Field | None:
        return next((one for one in self.fields if one.number == number), None)


@dataclass(frozen=True, slots=True)
class Message:
    """A request and its answer. `refusal` 0: approved, None: nothing was answered; `said` is its sentence."""

    came_at: datetime
    went_at: datetime | None
    terminal: str
    stan: int | None
    refusal: int | None
    said: Term
    process: str
    line: str
    request: Frame
    answer: Frame | None

    @property
    def microseconds(self) -> int | None:
        """From the last byte of the request to the answer."""
        return None if self.went_at is None else (self.went_at - self.came_at) // timedelta(microseconds=1)

    @property
    def rows(self) -> list[tuple[int, Term, Field | None, Field | None]]:
        """Number, name, and the field of request and answer, side by side."""
        numbers = {one.number for frame in (self.request, self.answer) if frame for one in frame.fields}
        return [
            (number, name_of(number), self.request.field(number), self.answer.field(number) if self.answer else None)
            for number in sorted(numbers)
        ]


def messages_of(actor: Actor, terminal: str, business_date: date, stan: int) -> list[Message]:
    """What came and went about the transaction with this key: requests, repeats, reversals, what had a wrong MAC.

    In the order in which they came. Raises Refused(PERMISSION_MISSING).
    """
    actor.require(Permission.MESSAGE_VIEW)
    read_recorded(actor, "message.read", subject_of(terminal, business_date, stan))
    return decoded(rows_of(terminal, business_date, stan), whole=False)


def subject_of(terminal: str, business_date: date, stan: int) -> str:
    """How the audit names the messages of a transaction."""
    return f"messages:{terminal}/{business_date:%Y%m%d}/{stan:06d}"


def rows_of(terminal: str, business_date: date, stan: int) -> list[SwitchMessage]:
    """The rows as they were kept. Under another day stands what could not be judged, such as a wrong MAC."""
    found = SwitchMessage.objects.filter(
        terminal=terminal, stan=stan, day__range=(business_date - timedelta(days=1), business_date + LATE)
    ).order_by("came_at", "id")
    said = f"{business_date:%m%d}"
    seen, rows = set(), []
    for row in found:
        key = (row.came_at, row.process, row.line, bytes(row.request))
        if key in seen or (row.day != business_date and _parsed(bytes(row.request))[1].get(13) != said):
            continue  # written twice after a fault, or of another day
        seen.add(key)
        rows.append(row)
    return rows


def decoded(rows: Iterable[SwitchMessage], *, whole: bool) -> list[Message]:
    """Rows field by field; `whole`: with the numbers of cards and accounts."""
    return [
        Message(
            came_at=row.came_at,
            went_at=row.went_at,
            terminal=row.terminal,
            stan=row.stan,
            refusal=row.refusal,
            said=Term("没有应答", "not answered") if row.refusal is None else refusal_said(row.refusal),
            process=row.process,
            line=row.line,
            request=_frame(bytes(row.request), row.size, whole=whole),
            answer=None if row.answer is None else _frame(bytes(row.answer), len(row.answer), whole=whole),
        )
        for row in rows
    ]


def _frame(data: bytes, size: int, *, whole: bool) -> Frame:
    kind, values, complete = _parsed(data)
    shown = tuple(_field(number, values[number], kind, whole=whole) for number in sorted(values))
    return Frame(kind, type_of(kind), shown, complete and size == len(data), size)


def _parsed(data: bytes) -> tuple[str, dict[int, Value], bool]:
    try:
        return *decode(data), True
    except Refused:
        return *readable_prefix(data), False


def _field(number: int, value: Value, kind: str, *, whole: bool) -> Field:
    name = name_of(number)
    if number in (PIN_BLOCK, SM4_PIN_BLOCK, TRACK_2):
        return Field(number, name, "", _BLANKED)
    if number == ADDITIONAL and kind[1:2] == "8":
        return Field(number, name, "", _KEYS)
    if isinstance(value, bytes):
        tags = tuple(Tag(*one) for one in tags_of(value)) if number == CHIP else ()
        return Field(number, name, value.hex().upper(), NOTHING, tags)
    if not whole and number == CARD_NUMBER:
        return Field(number, name, mask_card_number(value))
    if not whole and number in _MASKED:
        return Field(number, name, mask_middle(value, 2, 2))
    return Field(number, name, value, meaning_of(number, value, kind))
