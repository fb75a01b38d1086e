"""Dates, queues and settings of the switch, without a database (S4)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import date
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from sheka.foundation.iso8583 import encode
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.switch.batches import Queue
from sheka.systems.transactions.switch.registry import RegisteredTerminal
from sheka.systems.transactions.switch.requests import Intake, Unanswerable
from sheka.systems.transactions.switch.settings import SwitchSettings

TERMINAL = RegisteredTerminal("460100000001", 1, 1, "H46010000001   ", "460100", "ref")
LINE = SimpleNamespace(fingerprint="")
"""A line in clear: no certificate says whose it is."""
SETTINGS = SwitchSettings("127.0.0.1", 0, "", {})


def intake(today: date) -> Intake:
    registry = SimpleNamespace(find=lambda number: TERMINAL if number == TERMINAL.number else None)
    return Intake(registry, SETTINGS, lambda: today)


def message(kind: str = "0200", **changes: str) -> bytes:
    fields = {
        3: "000000",
        4: "000000000100",
        7: "0101000000",
        11: "000007",
        12: "000000",
        13: "0101",
        19: "156",
        37: "000000000007",
        41: "460100000001",
        42: "H46010000001   ",
        49: "156",
        60: "310",
        62: "D2143569X",
    }
    return encode(kind, fields | {int(number[1:]): value for number, value in changes.items()})


@pytest.mark.req("S4")
@pytest.mark.parametrize(
    ("today", "month_day", "expected"),
    [
        (date(2026, 12, 31), "0101", date(2027, 1, 1)),
        (date(2027, 1, 1), "1231", date(2026, 12, 31)),
        (date(2027, 1, 1), "0101", date(2027, 1, 1)),
        (date(2028, 2, 29), "0229", date(2028, 2, 29)),
        (date(2028, 3, 1), "0229", date(2028, 2, 29)),
    ],
)
def test_a_date_without_a_year_is_the_one_nearest_to_today(today, month_day, expected) -> None:
    reader = intake(today)
    request = reader.read(LINE, message(_13=month_day))
    reader.examine(request)
    assert (request.date, request.misdated) == (expected, False)


@pytest.mark.req("S4")
@pytest.mark.parametrize("month_day", ["1230", "0103", "0229", "0701"])
def test_nothing_new_has_the_date_of_a_wrong_clock(month_day) -> None:
    reader = intake(date(2027, 1, 1))
    request = reader.read(LINE, message(_13=month_day))
    reader.examine(request)
    assert request.misdated


@pytest.mark.req("S4")
@pytest.mark.parametrize("month_day", ["1399", "0000", "0230"])
def test_a_day_of_no_year_is_refused(month_day) -> None:
    reader = intake(date(2027, 1, 1))
    with pytest.raises(Refused) as refusal:
        reader.examine(reader.read(LINE, message(_13=month_day)))
    assert refusal.value.code is Code.BUSINESS_DATE_OUT_OF_RANGE


@pytest.mark.req("S10")
def test_a_reversal_may_be_older_than_a_purchase_but_not_for_ever() -> None:
    reader = intake(date(2027, 1, 20))
    request = reader.read(LINE, message("0420", _90="0200000042" + "0" * 32))
    reader.examine(request)
    assert (request.date, request.stan, request.misdated) == (date(2027, 1, 1), 42, False)
    late = intake(date(2027, 3, 1))
    request = late.read(LINE, message("0420", _90="0200000042" + "0" * 32))
    late.examine(request)
    assert request.misdated


def test_an_answer_or_an_unknown_terminal_is_not_a_request() -> None:
    reader = intake(date(2027, 1, 1))
    for data in (message("0210"), message(_41="460100000002"), message(_42="H46010000002   "), b"0200"):
        with pytest.raises(Unanswerable):
            reader.read(LINE, data)


class Sent(NamedTuple):
    """What the queue sees of a request."""

    line: str
    number: int


@pytest.mark.req("S4")
def test_one_lane_works_alone_until_a_crowd_waits() -> None:
    batches: dict[str, list[list[Sent]]] = {"one": [], "two": []}

    async def run() -> None:
        async def work(name: str, batch: list[Sent]) -> None:
            batches[name].append(batch)
            await asyncio.sleep(0.02)

        lanes = [lambda batch, name=name: work(name, batch) for name in ("two", "one")]
        queue: Queue[Sent] = Queue(lanes, most=6, crowd=4)
        for number in range(3):
            queue.put(Sent("a", number))
            await asyncio.sleep(0.001)
        for number in range(3, 13):
            queue.put(Sent("a", number))
        while not queue.idle:
            await asyncio.sleep(0.005)

    asyncio.run(run())
    assert batches["one"][0] == [Sent("a", 0)]
    assert batches["two"], "a crowd waited"
    taken = [one.number for name in batches for batch in batches[name] for one in batch]
    assert sorted(taken) == list(range(13))
    assert max(len(batch) for name in batches for batch in batches[name]) <= 6


@pytest.mark.req("S4")
def test_every_line_has_its_turn_before_any_has_another_one() -> None:
    batches: list[list[Sent]] = []

    async def run() -> None:
        async def work(batch: list[Sent]) -> None:
            batches.append(batch)

        queue: Queue[Sent] = Queue([work], most=4, crowd=100)
        for number in range(9):
            queue.put(Sent("flood", number))
        for line in ("a", "b"):
            queue.put(Sent(line, 0))
        assert (len(queue), queue.of("flood"), queue.of("nobody")) == (11, 9, 0)
        while not queue.idle:
            await asyncio.sleep(0)

    asyncio.run(run())
    assert batches[0] == [Sent("flood", 0), Sent("a", 0), Sent("b", 0), Sent("flood", 1)]
    assert [one.number for batch in batches for one in batch if one.line == "flood"] == list(range(9))
    assert [len(batch) for batch in batches] == [4, 4, 3]


@pytest.mark.req("S4")
def test_the_switch_runs_without_django() -> None:
    code = "import sys, sheka.systems.transactions.switch.__main__; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
