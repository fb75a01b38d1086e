"""Fault runs (S4, S10): what breaks under load, and that no acknowledged purchase is lost, none doubled, none unknown.

Each round lets tills buy and take back, breaks something at a moment of chance, mends it, and lets every till find
out what became of its last request. Then everything is compared: each answer with its row, each account with the
answers, and `verify_ledger`, `verify_transactions` and `verify_seals` have to be empty. A round that does not hold is
an error, not a figure.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.fault_load import Load, Story
from bench.fault_world import MIB, FaultWorld
from bench.figures import Figure
from sheka.foundation.refusals import Refused

TILLS = 24
EACH = 3_000
SMALL_DISK = 420 * MIB
DAY = 86_400
BUSINESS_DATE, TOMBSTONE = 4409, 4425
"""Refusals: a date out of range; the place of a purchase that was taken back before it came."""
Strike = Callable[[FaultWorld, Load, random.Random], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break something. `strike` breaks and mends while the load runs."""

    name: str
    strike: Strike
    cut: float = 0.0
    two: bool = False
    small: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """What a round showed: answers for good, requests sent again, and the longest that a till did not know (s)."""

    answers: int
    repeats: int
    longest: float
    told: dict[str, int]


def _switch_killed(world: FaultWorld, load: Load, _chance: random.Random) -> None:
    world.kill_switch()
    time.sleep(0.05)
    world.start_switch()
    load.answered(200)


def _postgres_killed(world: FaultWorld, load: Load, _chance: random.Random) -> None:
    world.kill_postgres()
    world.start_postgres()
    load.answered(200, 60)


def _machine_killed(world: FaultWorld, load: Load, _chance: random.Random) -> None:
    world.kill_machine()
    time.sleep(0.1)
    world.start_machine()
    load.answered(200)


def _lines_cut(_world: FaultWorld, load: Load, _chance: random.Random) -> None:
    load.answered(400)


def _two_switches(_world: FaultWorld, load: Load, _chance: random.Random) -> None:
    load.answered(300)


def _clock_jumps(world: FaultWorld, load: Load, chance: random.Random) -> None:
    """Two days ahead, two days back, then right again; between them what is asked is refused or accepted for good."""
    clock = world.folder / "clock"
    for jump in (2 * DAY, -2 * DAY, 3_600, 0):
        clock.write_text(str(jump))
        time.sleep(1.1 + chance.random() / 5)
    load.answered(200)


def _disk_full(world: FaultWorld, load: Load, _chance: random.Random) -> None:
    """Fill the disk of the database, wait until the switch has said so, make room."""
    before = sum(load.story.told.values())
    ballast = world.fill_disk()
    deadline = time.monotonic() + 20
    while sum(load.story.told.values()) < before + 10 and time.monotonic() < deadline:
        time.sleep(0.02)
    if sum(load.story.told.values()) < before + 10:
        raise RuntimeError("the full disk was not noticed")
    ballast.unlink()
    world.wait_for_postgres()
    load.answered(200, 60)


FAULTS = (
    Fault("switch_killed", _switch_killed),
    Fault("postgres_killed", _postgres_killed),
    Fault("lines_cut", _lines_cut, cut=0.2),
    Fault("two_switches", _two_switches, two=True),
    Fault("machine_killed", _machine_killed),
    Fault("clock_jumps", _clock_jumps),
    Fault("disk_full", _disk_full, small=True),
)


def run(long: bool = False, *, times: int = 1, dump: Path | None = None, only: str = "") -> list[Figure]:
    """Every fault `times` times (20 with `long`)."""
    rounds = 20 if long else times
    figures = []
    for small in (False, True):
        chosen = [fault for fault in FAULTS if fault.small is small and only in ("", fault.name)]
        if not chosen:
            continue
        try:
            with FaultWorld.make(dump=dump, small_disk=SMALL_DISK if small else 0) as world:
                figures += [
                    _figure(fault, [one_round(world, fault, number) for number in range(rounds)]) for fault in chosen
                ]
        except Refused as refusal:
            figures += [Figure(f"faults.{fault.name}", 0, "rounds", detail=str(refusal)) for fault in chosen]
    return figures


def one_round(world: FaultWorld, fault: Fault, number: int = 0, *, whole: bool = True) -> Round:
    """Load, fault, mending, knowing, proof; `whole`: with the proofs of the whole ledger.

    Raises RuntimeError with what does not hold.
    """
    chance = random.Random(f"{fault.name}{number}")
    since, before = world.stans + 1, world.money()
    queues = world.messages(TILLS, EACH // TILLS)
    clocked = fault.strike is _clock_jumps
    if clocked:
        (world.folder / "clock").write_text("0")
        world.kill_switch()
        world.start_switch(clock=world.folder / "clock")
    if fault.two:
        world.start_switch(1)
    addresses = [world.address(), world.address(1)] if fault.two else [world.address()]
    try:
        load = Load(addresses, queues, cut=fault.cut, pause=0.02 if clocked or fault.small else 0.004, seed=number)
        with load:
            load.answered(100)
            time.sleep(chance.random() / 4)
            fault.strike(world, load, chance)
    finally:
        if fault.two:
            world.kill_switch(1)
        if clocked:
            world.kill_switch()
            world.start_switch()
    prove(world, load.story, since, before, whole=whole)
    return Round(len(load.story.answers), load.story.repeats, load.story.longest, dict(load.story.told))


def prove(world: FaultWorld, story: Story, since: int, before: int, *, whole: bool = True) -> None:
    """Answers against rows against accounts against proofs. Raises RuntimeError."""
    wrong = [f"unknown for ever: {key}" for key in story.open] + story.different
    rows = world.rows(since)
    gone = 0
    for key, said in story.answers.items():
        held = rows.pop(key, [])
        if said.refusal == BUSINESS_DATE:
            wrong += [f"refused for its date and booked: {key}" for row in held if row[1] != TOMBSTONE]
            continue
        if len(held) != 1:
            wrong.append(f"{key}: {len(held)} rows, answered {said}")
            continue
        number, refusal, balance = held[0]
        if refusal != said.refusal or (said.code == "00" and said.authorisation != f"{number % 1_000_000:06d}"):
            wrong.append(f"{key}: row {held[0]}, answered {said}")
        if said.balance is not None and balance != said.balance:
            wrong.append(f"{key}: balance {balance}, answered {said.balance}")
        if refusal == 0 and balance is not None:
            gone += story.asked[key].amount * (1 if key[2] == 1 else -1)
    tombstones = {key for key, held in rows.items() if key[2] == 1 and [row[1] for row in held] == [TOMBSTONE]}
    wrong += [f"nobody asked for {key}" for key in rows.keys() - tombstones]
    if world.money() != before - gone:
        wrong.append(f"accounts hold {world.money()}, by the answers {before - gone}")
    if whole:
        wrong += world.faults()
    if wrong:
        raise RuntimeError(f"{len(wrong)} things do not hold: " + "; ".join(wrong[:8]))


def _figure(fault: Fault, rounds: list[Round]) -> Figure:
    told: dict[str, int] = {}
    for one in rounds:
        for code, count in one.told.items():
            told[code] = told.get(code, 0) + count
    said = ", ".join(f"{code}: {count}" for code, count in sorted(told.items())) or "nothing"
    detail = (
        f"{sum(one.answers for one in rounds)} requests answered for good, {sum(one.repeats for one in rounds)} asked"
        f" again ({said}); a till knew after {statistics.median(one.longest for one in rounds):.1f} s in the middle,"
        f" {max(one.longest for one in rounds):.1f} s at most; nothing lost, doubled or left unknown"
    )
    return Figure(f"faults.{fault.name}", len(rounds), "rounds", detail=detail)


if __name__ == "__main__":
    for figure in run():
        print(figure)
