"""The switch (S4): acknowledged ISO 8583 purchases a second, every MAC checked, every answer signed, durable on disk.

The baseline is pgbench's rate for the very same SQL function with single-item arrays, one commit each, 16 clients,
prepared, on the same database in the same run. Client, switch, encryption machine and PostgreSQL share the machine.
Rounds alternate; the ratio is the median over neighbouring rounds.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from pathlib import Path

import iso8583

from bench import switch_rows
from bench.figures import Figure, cpu_seconds, paired_ratio
from bench.switch_load import Load, drive
from bench.switch_world import CITY, INSTITUTION, BenchWorld, bench_world, cpu_of, start_switch, stop_switch
from bench.verb_mix import LATE_ORIGINAL, SCENES, Draft, Terminals, scenes
from sheka.equipment.server.processes import memory_bytes
from sheka.foundation.iso8583 import decode, encode
from sheka.foundation.iso8583.dictionary import fields
from sheka.foundation.iso8583.framing import frame

CLIENTS = 16
LINES = (32, 256)
MOST_A_SECOND = 35_000
MOST_MIXED = 12_000
MESSAGES = 10_000
MIB = 1024 * 1024


def run(long: bool = False, *, rows: int = 0, minutes: float = 0, dump: Path | None = None) -> list[Figure]:
    """All figures; at most about 50 seconds, with `long` more and longer rounds.

    `rows`: the same again after so many purchases were booked; `minutes`: memory under load for so long. Both take
    their time. `dump`: of a migrated database.
    """
    rounds, seconds, end = (7, 8, 600) if long else (4, 2, 34)
    end += time.monotonic()
    figures = [codec()]
    with bench_world(dump=dump) as world:
        acknowledged = drive(world.host, world.port, world.frames(MOST_A_SECOND * seconds), 32, 1).answers
        empty = _Runs(world)
        for number in range(rounds):
            if number > 1 and time.monotonic() > end:
                break
            empty.once(seconds)
        acknowledged += empty.answers
        _prove(world, acknowledged, empty.others)
        for lines in LINES:
            figures += _of_load(lines, empty.loads[lines], empty.baseline, empty.spent[lines])
        figures += stages(world, seconds)
        figures += mixed(world, seconds)
        if rows:
            figures += _with_rows(world, rows, max(4, rounds), seconds, dump)
        if minutes:
            figures += memory(world, minutes)
    return figures


class _Runs:
    """Alternating rounds on one world."""

    def __init__(self, world: BenchWorld) -> None:
        self.world = world
        self._frames: list[bytes] = []
        self.baseline: list[float] = []
        self.loads: dict[int, list[Load]] = {lines: [] for lines in LINES}
        self.spent: dict[int, dict[str, float]] = {}
        self._costs: dict[int, list[dict[str, float]]] = {lines: [] for lines in LINES}

    def once(self, seconds: int, *, pgbench: bool = True) -> None:
        """pgbench, then each number of lines."""
        world = self.world
        if pgbench:
            self.baseline.append(world.pgbench(seconds, CLIENTS))
        for lines in LINES:
            if len(self._frames) < MOST_A_SECOND * seconds:
                self._frames = world.frames(MOST_A_SECOND * seconds)
            before = world.cpu()
            load = drive(world.host, world.port, self._frames, lines, seconds)
            after = world.cpu()
            self.spent[lines] = {name: 1e6 * (after[name] - before[name]) / load.answers for name in after}
            self._costs[lines].append(self.spent[lines])
            self.loads[lines].append(load)

    def costs(self, lines: int) -> list[list[float]]:
        """Processor time a purchase (µs) of each part, round by round."""
        parts = self._costs[lines][0]
        return [[round_of[part] for round_of in self._costs[lines]] for part in parts]

    @property
    def answers(self) -> int:
        return sum(load.answers for runs in self.loads.values() for load in runs)

    @property
    def others(self) -> int:
        return sum(load.others for runs in self.loads.values() for load in runs)


def stages(world: BenchWorld, seconds: int, lines: int = 256) -> list[Figure]:
    """Where a purchase takes processor time: the switch by sampling, what the machine and PostgreSQL take added."""
    report = world.folder / "stages.json"
    process, host, port = start_switch(world.node, world.folder, "bench.staged_switch", str(report))
    before, own = world.cpu(), cpu_of(process.pid)
    load = drive(host, port, world.frames(MOST_A_SECOND * seconds), lines, seconds)
    after, own = world.cpu(), cpu_of(process.pid) - own
    stop_switch(process)
    seen = json.loads(report.read_text())
    share = {name: 1e6 * own / load.answers * count / sum(seen.values()) for name, count in seen.items()}
    for stage, part in (("machine", "machine"), ("database", "postgres")):
        share[stage] = share.get(stage, 0.0) + 1e6 * (after[part] - before[part]) / load.answers
    detail = f"{lines} lines; {sum(seen.values())} samples of the switch; its parts in the machine and PostgreSQL added"
    return [
        Figure(f"switch.stage_us.{name}", value, "µs/purchase", detail=detail) for name, value in sorted(share.items())
    ]


def mixed(world: BenchWorld, seconds: int) -> list[Figure]:
    """Every verb together, as the scenes of `verb_mix` have them; each answer an approval."""
    found = []
    for lines in LINES:
        frames = mixed_frames(world, MOST_MIXED * seconds)
        load = drive(world.host, world.port, frames, lines, seconds)
        if load.others or world.booked()[1]:
            raise RuntimeError(f"{load.others} of the mixture were refused, entries sum to {world.booked()[1]}")
        detail = f"{lines} lines; scenes of bench/verb_mix.py, of a hundred: " + ", ".join(
            f"{share} {name}" for name, (share, _steps) in SCENES.items() if name != LATE_ORIGINAL
        )
        found.append(Figure(f"switch.mixed.c{lines}", load.rate, "requests/s", detail=detail))
        found.append(Figure(f"switch.mixed.p50_ms.c{lines}", 1000 * load.p50, "ms"))
        found.append(Figure(f"switch.mixed.p99_ms.c{lines}", 1000 * load.p99, "ms"))
    return found


def mixed_frames(world: BenchWorld, count: int) -> list[bytes]:
    """Requests in an order in which whatever follows an original comes two thousand requests after it."""
    terminals = Terminals(CITY, INSTITUTION, world.today, world.macs)
    kinds, waves, made = scenes(random.Random(world.stan), late_originals=False), [], 0
    while made < count:
        wave: list[list[Draft]] = [[], [], []]
        for terminal in range(1, world.terminals // 2 + 1):
            card = world.cards[(terminal * 7_919 + world.stan * 104_729) % len(world.cards)]
            for place, draft in enumerate(terminals.scene(terminal, world.stan + 1, card, next(kinds))):
                wave[place].append(draft)
        world.stan += len(wave)
        waves.append([[frame(message.encoded) for message in terminals.signed(step)] for step in wave])
        made += sum(map(len, waves[-1]))
    ordered: list[bytes] = []
    for number in range(len(waves) + 2):
        for place in range(3):
            if 0 <= number - place < len(waves):
                ordered += waves[number - place][place]
    ordered.reverse()
    return ordered


def _with_rows(world: BenchWorld, rows: int, rounds: int, seconds: int, dump: Path | None) -> list[Figure]:
    """The rate with millions of rows against the rate without, and what a row takes. Rounds alternate between this
    world and a second one that is empty: a machine that slows down with the minutes slows both.
    """
    started = time.monotonic()
    for _done in switch_rows.fill(world, rows):
        pass
    filled = time.monotonic() - started
    with bench_world(dump=dump) as fresh:
        full, empty = _Runs(world), _Runs(fresh)
        for runs in (full, empty):
            drive(runs.world.host, runs.world.port, runs.world.frames(MOST_A_SECOND * seconds), 256, seconds)
        for _number in range(rounds):
            empty.once(seconds, pgbench=False)
            full.once(seconds, pgbench=False)
    took, found = switch_rows.growth(world), []
    for lines in LINES:
        rates, before = ([load.rate for load in runs.loads[lines]] for runs in (full, empty))
        listed, others = (", ".join(f"{rate:.0f}" for rate in one) for one in (rates, before))
        spent, spent_before = (sum(statistics.median(one) for one in runs.costs(lines)) for runs in (full, empty))
        found.append(
            Figure(
                f"switch.rows.c{lines}",
                statistics.median(rates),
                "purchases/s",
                paired_ratio(rates, before),
                f"an empty world in the same rounds: {statistics.median(before):.0f}/s",
                f"{rows} booked purchases, made in {filled:.0f} s; rounds {listed}; empty {others}; processor time of"
                f" all parts {spent:.0f} µs a purchase, empty {spent_before:.0f}",
            )
        )
    detail = f"at {took.rows} rows, indexes included"
    found.append(Figure("switch.bytes.transaction", took.transaction, "bytes", detail=detail))
    found.append(Figure("switch.bytes.entries", took.entries, "bytes/transaction", detail=detail))
    return found


def memory(world: BenchWorld, minutes: float, lines: int = 32) -> list[Figure]:
    """The switch under load for so long: what it holds (RSS) at the start of the second third and at the end."""
    end, taken, answers = time.monotonic() + 60 * minutes, [], 0
    while time.monotonic() < end:
        answers += drive(world.host, world.port, world.frames(MOST_A_SECOND * 4), lines, 4).answers
        taken.append(memory_bytes(world.pids["switch"]) / MIB)
    third = len(taken) // 3
    early, late = statistics.median(taken[third : 2 * third]), statistics.median(taken[2 * third :])
    detail = (
        f"{minutes:g} minutes, {answers} purchases, {lines} lines; MiB: first {taken[0]:.1f}, most {max(taken):.1f}"
    )
    return [Figure("switch.memory", late, "MiB", late / early, f"the middle third: {early:.1f} MiB", detail)]


def _prove(world: BenchWorld, acknowledged: int, others: int) -> None:
    """No figure without this: every acknowledged purchase is in the tables, and the ledger sums to zero."""
    booked, total = world.booked()
    if others or booked != acknowledged or total:
        raise RuntimeError(f"acknowledged {acknowledged}, booked {booked}, declined {others}, entries sum to {total}")


def _of_load(lines: int, loads: list[Load], baseline: list[float], spent: dict[str, float]) -> list[Figure]:
    rates = [load.rate for load in loads]
    against = f"pgbench, the same function, one commit each, {CLIENTS} clients: {statistics.median(baseline):.0f}/s"
    found = [
        Figure(
            f"switch.vs_pgbench.c{lines}",
            statistics.median(rates),
            "purchases/s",
            paired_ratio(rates, baseline),
            against,
            f"{lines} lines, one request under way on each; rounds " + ", ".join(f"{rate:.0f}" for rate in rates),
        )
    ]
    for name, values in (("p50", [load.p50 for load in loads]), ("p99", [load.p99 for load in loads])):
        found.append(Figure(f"switch.{name}_ms.c{lines}", 1000 * statistics.median(values), "ms"))
    for name, value in spent.items():
        found.append(
            Figure(f"switch.cpu_us.{name}.c{lines}", value, "µs/purchase", detail="processor time, last round")
        )
    return found


def codec(rounds: int = 3) -> Figure:
    """One encode and one decode of a purchase, ours against pyiso8583 with the same dictionary."""
    values: dict[int, str | bytes] = {
        3: "000000",
        4: "000000001234",
        7: "1121093000",
        11: "000001",
        12: "093000",
        13: "1121",
        19: "156",
        22: "051",
        25: "00",
        37: "000000000001",
        41: "460100000001",
        42: "H46010000001   ",
        49: "156",
        55: bytes(100),
        60: "310",
        61: "460100D156000005000001357A48FB49",
        62: "D2143569X",
        64: bytes(8),
    }
    spec = _peer_spec()
    peer = {"t": "0200"} | {str(n): v.hex().upper() if isinstance(v, bytes) else v for n, v in values.items()}
    data = encode("0200", values)
    if iso8583.encode(peer, spec)[0] != data:
        raise RuntimeError("the two codecs disagree")

    def ours() -> None:
        for _ in range(MESSAGES):
            decode(encode("0200", values))

    def theirs() -> None:
        for _ in range(MESSAGES // 5):
            iso8583.decode(iso8583.encode(peer, spec)[0], spec)

    fast, slow = [], []
    for _ in range(rounds):
        fast.append(MESSAGES / cpu_seconds(ours))
        slow.append(MESSAGES // 5 / cpu_seconds(theirs))
    return Figure(
        "iso8583.codec.vs_pyiso8583",
        statistics.median(fast),
        "encodes and decodes/s",
        paired_ratio(fast, slow),
        f"pyiso8583, the same dictionary: {statistics.median(slow):.0f}/s",
        f"a purchase of {len(values)} fields, {len(data)} bytes, every value checked",
    )


def _peer_spec() -> dict[str, dict[str, object]]:
    fixed = {"len_enc": "ascii", "len_type": 0, "desc": ""}
    spec: dict[str, dict[str, object]] = {
        "h": {"data_enc": "b", "max_len": 0, **fixed},
        "t": {"data_enc": "ascii", "max_len": 4, **fixed},
        "p": {"data_enc": "b", "max_len": 8, **fixed},
        "1": {"data_enc": "b", "max_len": 8, **fixed},
    }
    for field in fields().values():
        kind = "b" if field.is_binary else "ascii"
        row = {
            "data_enc": kind,
            "len_enc": "ascii",
            "len_type": field.prefix,
            "max_len": field.length,
            "desc": field.name,
        }
        spec[str(field.number)] = row
    return spec


if __name__ == "__main__":
    started = time.monotonic()
    for figure in run():
        print(figure)
    print(f"{time.monotonic() - started:.0f} s")
