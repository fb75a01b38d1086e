"""The switch (S4): acknowledged ISO 8583 purchases a second, every MAC checked, every answer signed, durable on disk.

The baseline is pgbench's rate for the very same SQL function with single-item arrays, one commit each, 16 clients,
prepared, on the same database in the same run. Client, switch, encryption machine and PostgreSQL share the machine.
Rounds alternate; the ratio is the median over neighbouring rounds.
"""

from __future__ import annotations

import statistics
import time

import iso8583

from bench.figures import Figure, cpu_seconds, paired_ratio
from bench.switch_load import Load, drive
from bench.switch_world import BenchWorld, bench_world
from sheka.foundation.iso8583 import decode, encode
from sheka.foundation.iso8583.dictionary import fields

CLIENTS = 16
LINES = (32, 256)
MOST_A_SECOND = 35_000
MESSAGES = 10_000


def run(long: bool = False) -> list[Figure]:
    """All figures; at most about 50 seconds, with `long` more and longer rounds."""
    rounds, seconds, end = (7, 8, 600) if long else (4, 2, 34)
    end += time.monotonic()
    figures = [codec()]
    with bench_world() as world:
        frames = world.frames(MOST_A_SECOND * seconds)
        acknowledged = drive(world.host, world.port, frames, 32, 1).answers
        baseline: list[float] = []
        loads: dict[int, list[Load]] = {lines: [] for lines in LINES}
        spent: dict[int, dict[str, float]] = {}
        for number in range(rounds):
            if number > 1 and time.monotonic() > end:
                break
            baseline.append(world.pgbench(seconds, CLIENTS))
            for lines in LINES:
                if len(frames) < MOST_A_SECOND * seconds:
                    frames = world.frames(MOST_A_SECOND * seconds)
                before = world.cpu()
                load = drive(world.host, world.port, frames, lines, seconds)
                after = world.cpu()
                spent[lines] = {name: 1e6 * (after[name] - before[name]) / load.answers for name in after}
                loads[lines].append(load)
                acknowledged += load.answers
        _prove(world, acknowledged, loads)
    for lines in LINES:
        figures += _of_load(lines, loads[lines], baseline, spent[lines])
    return figures


def _prove(world: BenchWorld, acknowledged: int, loads: dict[int, list[Load]]) -> None:
    """No figure without this: every acknowledged purchase is in the tables, and the ledger sums to zero."""
    others = sum(load.others for runs in loads.values() for load in runs)
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
