"""From a frame to a request: decoded, complete, of a known terminal, with its business date."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sheka.foundation.iso8583 import Value, carries_mac, decode
from sheka.foundation.iso8583.chip_data import KEY_VERSION, PSAM_SEQUENCE, unpack
from sheka.foundation.iso8583.dictionary import fields as dictionary
from sheka.foundation.iso8583.dictionary import processing_of
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.switch.registry import RegisteredTerminal, Registry
from sheka.systems.transactions.switch.sightings import NO_COUNTER
from sheka.systems.transactions.switch.verbs import (
    BATCH,
    FOLLOWS,
    KINDS,
    SERVED,
    TOTALS,
    Verb,
    name_line,
    name_original,
    name_reversed,
)

if TYPE_CHECKING:
    from sheka.systems.transactions.switch.connection import Line
    from sheka.systems.transactions.switch.line_keys import Key
    from sheka.systems.transactions.switch.settings import SwitchSettings

ZONE = ZoneInfo("Asia/Shanghai")
SCHEME = "310"
NO_DATE = date.max
"""What four digits say that are a day of no year."""


class Request:
    """One message on its way through the switch. Numbers are parsed; `refusal` is set when it is refused before
    booking. `key`: the working key that proved it, None for the institution's first; `barred`: the number with which it
    is written as refused; `misdated`: its date is out of range, so that it has the answer that was stored under its key
    or none; `chip`: what stands in field 55; `offline`: the terminal transaction sequence that a right TAC signs.
    """

    __slots__ = (
        "amount",
        "answer",
        "attempted",
        "barred",
        "busy",
        "card",
        "chip",
        "counter",
        "country",
        "currency",
        "date",
        "fields",
        "institution_id",
        "kept",
        "key",
        "key_version",
        "kind",
        "line",
        "local_time",
        "mac",
        "misdated",
        "offline",
        "original_date",
        "original_kind",
        "original_stan",
        "original_terminal",
        "psam",
        "refusal",
        "rrn",
        "scheme",
        "settled",
        "signed",
        "since",
        "stan",
        "terminal",
        "theirs",
        "type",
        "verb",
    )

    line: Line
    type: str
    fields: dict[int, Value]
    signed: bytes
    mac: bytes
    verb: Verb
    terminal: RegisteredTerminal
    date: date
    refusal: int
    kind: int
    kept: int
    original_kind: int
    original_date: date | None
    original_terminal: int | None
    original_stan: int | None
    settled: date
    theirs: list[int]

    def __init__(self, line: Line, kind: str, fields: dict[int, Value]) -> None:
        self.line = line
        self.type = kind
        self.fields = fields
        self.since = time.monotonic()
        self.attempted = False
        self.busy = False
        self.answer: bytes | None = None
        self.key: Key | None = None
        self.barred = 0
        self.misdated = False
        self.chip: dict[int, bytes] | None = None
        self.offline: int | None = None


class Unanswerable(Exception):
    """The request is refused, but no key is known to sign the answer with."""

    def __init__(self, request: Request | None, refusal: Refused) -> None:
        super().__init__(str(refusal))
        self.request = request
        self.refusal = refusal


class Intake:
    """Reads frames. `clock` gives the local date; it is asked once a second."""

    def __init__(self, registry: Registry, settings: SwitchSettings, clock: Callable[[], date] | None = None) -> None:
        self._registry = registry
        self._settings = settings
        self._clock = clock or (lambda: datetime.now(ZONE).date())
        self._today = self._clock()
        self._looked = time.monotonic()
        self._dates: dict[str, date] = {}

    def read(self, line: Line, frame: bytes) -> Request:
        """A request of a known terminal; what is wrong with its content is found by `examine`, after its MAC was
        checked.

        Raises Unanswerable.
        """
        try:
            kind, fields = decode(frame)
        except Refused as refusal:
            raise Unanswerable(None, refusal) from None
        if kind[2] not in "02468":
            raise Unanswerable(None, Refused(Code.MESSAGE_KIND_UNKNOWN, type=kind, processing=""))
        request = Request(line, kind, fields)
        terminal = self._registry.find(str(fields.get(41)))
        if terminal is None or fields.get(42) != terminal.institution:
            number = fields.get(41, "")
            raise Unanswerable(request, Refused(Code.TERMINAL_UNKNOWN, terminal=number))
        request.terminal = terminal
        if line.fingerprint and self._registry.holder(line.fingerprint) != terminal.institution_id:
            raise Unanswerable(request, Refused(Code.TERMINAL_OF_OTHER_LINE, terminal=terminal.number))
        if carries_mac(frame):
            request.signed = frame[:-8]
            request.mac = frame[-8:]
        else:
            request.signed = frame
            request.mac = b""
        return request

    def examine(self, request: Request) -> None:
        """Fill in the parsed values. Raises Refused: MESSAGE_KIND_UNKNOWN, FIELD_MISSING, ORIGINAL_INVALID,
        BUSINESS_DATE_OUT_OF_RANGE.
        """
        fields = request.fields
        code = processing_of(fields)
        found = SERVED.get((request.type, code))
        if found is None:
            raise Refused(Code.MESSAGE_KIND_UNKNOWN, type=request.type, processing=code)
        request.verb, needed, name = found
        if not needed <= fields.keys():
            missing = min(needed - fields.keys())
            raise Refused(Code.FIELD_MISSING, kind=name, field=missing, name=dictionary()[missing].name)
        request.stan = int(fields[11])
        verb = request.verb
        if verb is Verb.NETWORK:
            return
        if verb in BATCH:
            self._examine_batch(request)
            return
        request.card = str(fields[62])
        request.scheme = str(fields[60])
        request.country = int(fields[19])
        request.psam, request.counter, request.key_version = str(fields.get(57, "")), NO_COUNTER, ""
        if 55 in fields and verb is not Verb.REVERSAL:
            _read_chip_data(request, fields[55])
        if verb is Verb.BALANCE:
            return
        request.amount = int(fields[4])
        request.currency = int(fields[49])
        request.rrn = str(fields[37])
        request.local_time = int(fields[12])
        request.kind = KINDS[verb]
        if verb is not Verb.PURCHASE:
            request.kept = request.original_kind = 0
            request.original_date = request.original_terminal = request.original_stan = None
            if verb is Verb.REVERSAL:
                name_reversed(request, code)
            elif verb in FOLLOWS:
                name_original(request, self._day, self._registry.find)
                request.misdated = not self._is_original(request.original_date)
        request.date = self._day(str(fields[13]))
        request.misdated = request.misdated or not self._in_range(request.date, verb)

    def _examine_batch(self, request: Request) -> None:
        fields = request.fields
        request.date, request.settled = self._day(str(fields[13])), self._day(str(fields[15]))
        about = request.settled
        if request.verb is Verb.SETTLEMENT:
            request.theirs = [int(fields[number]) for number in TOTALS]
        else:
            request.card, request.amount = str(fields[62]), int(fields[4])
            about = name_line(request, self._day)
        known = self._is_original(request.settled) and self._is_original(about)
        request.misdated = not (known and self._in_range(request.date, request.verb))

    def _is_original(self, day: date) -> bool:
        return -self._settings.limits.original_days <= (day - self._today).days <= self._settings.days_ahead + 1

    def _day(self, month_day: str) -> date:
        """The date that four digits mean, in the year that brings it nearest to today.

        Raises Refused(BUSINESS_DATE_OUT_OF_RANGE) for a date of no year.
        """
        self._know_today()
        found = self._dates.get(month_day)
        if found is None:
            found = self._dates[month_day] = _nearest(month_day, self._today)
        if found == NO_DATE:
            raise Refused(Code.BUSINESS_DATE_OUT_OF_RANGE, date=month_day)
        return found

    def _in_range(self, day: date, verb: Verb) -> bool:
        """Whether something new may have this date. What was answered before keeps its answer whatever the clock says:
        a clock that jumps must not turn an approval into a decline when it is asked again (S10).
        """
        back = self._settings.reversal_days_back if verb is Verb.REVERSAL else self._settings.days_back
        return -back <= (day - self._today).days <= self._settings.days_ahead

    def _know_today(self) -> None:
        now = time.monotonic()
        if now - self._looked > 1.0:
            self._looked = now
            if self._today != self._clock():
                self._today = self._clock()
                self._dates.clear()


def _nearest(month_day: str, today: date) -> date:
    candidates = []
    for year in (today.year - 1, today.year, today.year + 1):
        try:
            candidates.append(date(year, int(month_day[:2]), int(month_day[2:])))
        except ValueError:
            continue
    if not candidates:
        return NO_DATE
    return min(candidates, key=lambda day: abs(day - today))


def _read_chip_data(request: Request, data: Value) -> None:
    """The terminal transaction sequence of the PSAM, and which key the card's cryptogram was made with."""
    request.chip = {}
    for tag, value in unpack(data if isinstance(data, bytes) else b""):
        request.chip[tag] = value
        if tag == PSAM_SEQUENCE:
            request.counter = int.from_bytes(value[:4])
        elif tag == KEY_VERSION:
            request.key_version = value.decode("ascii", "replace")
