"""Fault runs (S4, S10): what breaks under a load of every verb, and that no acknowledged purchase is lost, none
doubled, none unknown.

Each round lets tills buy, hold, complete, void, refund and take back, breaks something at a moment of chance, mends
it, and lets every till find out what became of its last request. Then everything is compared: each answer with its row,
each account with the answers, and `verify_ledger`, `verify_transactions` and `verify_seals` have to be empty.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.fault_load import BUSINESS_DATE, Load, Story
from bench.fault_world import MIB, FaultWorld
from bench.figures import Figure
from bench.verb_mix import BALANCE, REVERSAL, Key, Ledger
from sheka.foundation.refusals import Code, Refused

TILLS = 24
EACH = 3_000
SMALL_DISK = 420 * MIB
DAY = 86_400
TOMBSTONE = 4425
"""The refusal in the place of a request that was taken back before it came."""
Strike = Callable[[FaultWorld, Load, random.Random], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break something. `strike` breaks and mends while the load runs. `cut`: how often a line is ended
    between request and answer; `two`: every request at two switches; `small`: on a disk that can be filled; `slow`:
    tills that pause, so that a long strike does not outlast them.
    """

    name: str
    strike: Strike
    cut: float = 0.0
    two: bool = False
    small: bool = False
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """What a round showed: answers for good, requests sent again, the longest that a till did not know (s), what was
    said that was not for good, and how many requests were reversed because nothing was known of them.
    """

    answers: int
    repeats: int
    longest: float
    told: dict[str, int]
    taken_back: int


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
    _wait_until_told(load, before)
    ballast.unlink()
    world.wait_for_postgres()
    load.answered(200, 60)


def files_full(world: FaultWorld, load: Load, _chance: random.Random) -> None:
    """The kernel takes no more of what PostgreSQL writes; wait until the switch has said so, and let it write again."""
    before = sum(load.story.told.values())
    world.limit_files()
    _wait_until_told(load, before)
    world.lift_limit()
    world.wait_for_postgres()
    load.answered(200, 60)


def _wait_until_told(load: Load, before: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while sum(load.story.told.values()) < before + 10:
        if time.monotonic() > deadline:
            raise RuntimeError("the full disk was not noticed")
        time.sleep(0.02)


FAULTS = (
    Fault("switch_killed", _switch_killed),
    Fault("postgres_killed", _postgres_killed),
    Fault("lines_cut", _lines_cut, cut=0.2),
    Fault("two_switches", _two_switches, two=True),
    Fault("machine_killed", _machine_killed),
    Fault("clock_jumps", _clock_jumps),
    Fault("files_full", files_full, slow=True),
    Fault("disk_full", _disk_full, small=True, slow=True),
)


def run(long: bool = False, *, times: int = 1, dump: Path | None = None, only: str = "") -> list[Figure]:
    """Every fault `times` times (20 with `long`); each round is told on standard error as it ends.

    A round that does not hold is counted and told, and the next one begins in a new world.
    """
    rounds = 20 if long else times
    return [_rounds(fault, rounds, dump) for fault in FAULTS if only in ("", fault.name)]


def _rounds(fault: Fault, rounds: int, dump: Path | None) -> Figure:
    world, seen, broken, note = None, [], [], ""
    try:
        for number in range(rounds):
            began = time.monotonic()
            try:
                if world is None:
                    world, fault, note = _world(fault, dump)
                seen.append(one_round(world, fault, number))
                said = f"{seen[-1].answers} answers"
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
                broken.append(f"round {number}: {said}")
                if world is not None:
                    print(world.logs(), file=sys.stderr)
                    world.end()
                world = None
            print(f"{fault.name} {number}: {said}, {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    finally:
        if world is not None:
            world.end()
    return _figure(fault, seen, broken, note)


def _world(fault: Fault, dump: Path | None) -> tuple[FaultWorld, Fault, str]:
    """A world for this fault. Where no small disk can be mounted, the disk is full by the limit of files."""
    try:
        return FaultWorld.make(dump=dump, small_disk=SMALL_DISK if fault.small else 0), fault, ""
    except Refused as refusal:
        if refusal.code is not Code.FAULTS_NO_MOUNT:
            raise
        return FaultWorld.make(dump=dump), replace(fault, strike=files_full), str(refusal)


def one_round(world: FaultWorld, fault: Fault, number: int = 0, *, whole: bool = True) -> Round:
    """Load, fault, mending, knowing, proof; `whole`: with the proofs of the whole ledger.

    Raises RuntimeError with what does not hold.
    """
    chance = random.Random(f"{fault.name}{number}")
    since, before = world.stans + 1, world.accounts()
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
        load = Load(addresses, queues, cut=fault.cut, pause=0.02 if clocked or fault.slow else 0.004, seed=number)
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
    return Round(
        len(load.story.answers),
        load.story.repeats,
        load.story.longest,
        dict(load.story.told),
        len(load.story.taken_back),
    )


def prove(
    world: FaultWorld, story: Story, since: int, before: dict[str, tuple[int, int]], *, whole: bool = True
) -> None:
    """Answers against rows against accounts against proofs. `before`: what the accounts held. Raises RuntimeError."""
    wrong = [f"unknown for ever: {key}" for key in story.open] + story.different
    rows, ledger = world.rows(since), Ledger()
    for key, said in story.answers.items():
        if said.code == "00":
            message = story.asked[key]
            if message.about in story.taken_back and [row[1] for row in rows.get(message.about, [])] == [0]:
                ledger.approved(story.asked[message.about])  # it had been booked, unknown to its till
            ledger.approved(message)
        if key[2] == BALANCE:
            continue
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
    for key in story.taken_back - story.answers.keys():
        wrong += _taken_back(key, rows.pop(key, []), story)
    tombstones = {key for key, held in rows.items() if key[2] != REVERSAL and [row[1] for row in held] == [TOMBSTONE]}
    wrong += [f"nobody asked for {key}" for key in rows.keys() - tombstones]
    for card, (balance, held_now) in world.accounts().items():
        was, was_held = before[card]
        expected = was + ledger.moved.get(card, 0), was_held + ledger.held.get(card, 0)
        if (balance, held_now) != expected:
            lived = ", ".join(story.of_card(card))
            wrong.append(f"{card} has {balance} and {held_now} held, by the answers {expected}: {lived}")
    if whole:
        wrong += world.faults()
    if wrong:
        told = f"; tills were told {dict(story.told)}" if story.open else ""
        raise RuntimeError(f"{len(wrong)} things do not hold: " + "; ".join(wrong[:8]) + told)


def _taken_back(key: Key, rows: list[tuple[int, int, int | None]], story: Story) -> list[str]:
    """What is wrong about a request that its till gave up and reversed: it has one row at most, and when nothing was
    known of it (25), that row bars it for ever.
    """
    said = story.answers.get((key[0], key[1], REVERSAL))
    if said is None:
        return [f"given up and never taken back: {key}"]
    if said.code not in ("00", "25") or len(rows) != 1:
        return [f"{key}: {len(rows)} rows, its reversal was answered {said}"]
    if (rows[0][1] == TOMBSTONE) != (said.code == "25"):
        return [f"{key}: row {rows[0]}, its reversal was answered {said}"]
    return []


def _figure(fault: Fault, rounds: list[Round], broken: list[str], note: str) -> Figure:
    told: dict[str, int] = {}
    for one in rounds:
        for code, count in one.told.items():
            told[code] = told.get(code, 0) + count
    said = ", ".join(f"{code}: {count}" for code, count in sorted(told.items())) or "nothing"
    knew = [one.longest for one in rounds] or [0.0]
    detail = (
        f"{sum(one.answers for one in rounds)} requests of every verb answered for good,"
        f" {sum(one.repeats for one in rounds)} asked again ({said}),"
        f" {sum(one.taken_back for one in rounds)} taken back without an answer; a till knew after"
        f" {statistics.median(knew):.1f} s in the middle, {max(knew):.1f} s at most; "
    )
    detail += "; ".join(broken) or "nothing lost, doubled or left unknown"
    asked = len(rounds) + len(broken)
    return Figure(
        f"faults.{fault.name}",
        len(rounds),
        "rounds that held",
        len(rounds) / asked if asked else None,
        f"of {asked}",
        f"{detail}; {note}" if note else detail,
    )


if __name__ == "__main__":
    for figure in run():
        print(figure)
