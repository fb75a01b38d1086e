"""The encryption machine over its socket, as a caller meets it: batches, MACs, round trips (H5, K2).

A machine of its own is started and reached over its unix socket. Rates are by the clock, ours and the baseline's alike
(`openssl speed -elapsed`), in rounds that alternate; a ratio is the median over neighbouring rounds.
"""

from __future__ import annotations

import asyncio
import secrets
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.figures import Figure, interleaved, paired_ratio
from sheka.equipment.encryption_machine.aclient import AsyncEncryptionMachine
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.crypto.algorithms import Algorithm, block_bytes

BATCH = 10_000
MACS = 1_000
TERMINALS = 64
MESSAGE_BYTES = 120
UNDER_WAY = 64
KEYS_OF_A_CARD = 30
CARDS = 100_000

_CALLER = "bench"
_NAMES = {Algorithm.SM4: "sm4", Algorithm.TDES: "tdes"}
_SPEED_NAMES = {Algorithm.SM4: "sm4-ecb", Algorithm.TDES: "des-ede3-ecb"}


@dataclass(frozen=True, slots=True)
class Bench:
    """A running machine and how long a round of a measure lasts."""

    machine: EncryptionMachine
    address: str
    pid: int
    secret: bytes
    rounds: int
    seconds: float


@contextmanager
def started(rounds: int, seconds: float) -> Iterator[Bench]:
    """A machine in a folder that goes with it."""
    secret = secrets.token_bytes(32)
    with tempfile.TemporaryDirectory(prefix="sheka-bench-") as folder:
        handle = start_machine(Path(folder), callers={_CALLER: secret})
        try:
            with handle.client(_CALLER) as machine:
                yield Bench(machine, handle.address, handle.process.pid, secret, rounds, seconds)
        finally:
            handle.stop()


def run(long: bool = False) -> list[Figure]:
    """All figures; about 45 seconds, with `long` three times the rounds."""
    figures: list[Figure] = []
    with started(15 if long else 5, 0.7 if long else 0.5) as bench:
        for algorithm in (Algorithm.SM4, Algorithm.TDES):
            figures += against_openssl(bench, algorithm)
            figures.append(check_values(bench, algorithm))
        figures += mac_verifications(bench)
        figures.append(round_trip(bench))
        figures.append(pipelined(bench))
        figures += personalisation(bench)
    return figures


def against_openssl(bench: Bench, algorithm: Algorithm, count: int = BATCH) -> list[Figure]:
    """Batches through the socket against OpenSSL's bare cipher over as many bytes a call.

    First the cipher work of diversification as plain cryptograms: F‖¬F of `count` factors in, as many blocks out. Then
    diversification itself: `count` factors in, the keys out under a wrapping key, which is the same cipher twice.
    """
    machine, name = bench.machine, _NAMES[algorithm]
    data_key = machine.generate(f"bench data {name}", algorithm, Usage.ENCRYPT)
    root = machine.generate(f"bench root {name}", algorithm, Usage.DIVERSIFY)
    kek = machine.generate(f"bench wrapping {name}", algorithm, Usage.WRAP)
    factors = secrets.token_bytes(8 * count)
    pairs = b"".join(_pair(factors[at : at + 8]) for at in range(0, len(factors), 8))
    ours, keys, theirs = interleaved(
        bench.rounds,
        lambda: _rate(bench, lambda: machine.cryptograms_raw(data_key.ref, pairs)) * len(pairs),
        lambda: _rate(bench, lambda: machine.wrap_diversified_raw(root.ref, factors, kek.ref)) * count,
        lambda: openssl_bytes(_SPEED_NAMES[algorithm], len(pairs)),
    )
    baseline = f"openssl speed -elapsed -evp {_SPEED_NAMES[algorithm]}, {len(pairs):,} bytes a call"
    block, other = block_bytes(algorithm), statistics.median(theirs)
    told = f"Median of {bench.rounds} alternating rounds; baseline {other / 1e6:.4g} MB/s"
    return [
        Figure(
            f"machine.{name}.vs_openssl",
            statistics.median(ours) / block,
            "blocks/s",
            paired_ratio(ours, theirs),
            baseline,
            f"cryptograms_raw of F‖¬F for {count:,} factors a call, one caller, one call at a time. {told}",
        ),
        Figure(
            f"machine.{name}.diversify_wrapped",
            statistics.median(keys),
            "keys/s",
            paired_ratio([32 * rate for rate in keys], theirs),
            baseline,
            f"wrap_diversified_raw: {count:,} factors a call, keys out under a wrapping key; the ratio counts the 32 "
            f"bytes of cipher that a key takes. {told}",
        ),
    ]


def check_values(bench: Bench, algorithm: Algorithm, count: int = BATCH) -> Figure:
    """Check values of diversified keys: each key is another one."""
    name, machine = _NAMES[algorithm], bench.machine
    root = machine.generate(f"bench check {name}", algorithm, Usage.DIVERSIFY)
    factors = secrets.token_bytes(8 * count)
    rates = [_rate(bench, lambda: machine.check_values_raw(root.ref, factors)) * count for _ in range(bench.rounds)]
    detail = f"check_values_raw, {count:,} factors a call. Median of {bench.rounds} rounds"
    return Figure(f"machine.{name}.check_values", statistics.median(rates), "keys/s", detail=detail)


def mac_verifications(bench: Bench) -> list[Figure]:
    """MACs verified, SM4, 120-byte messages: many of one key a call, and a batch of many terminals a call."""
    machine = bench.machine
    keys = [machine.generate(f"bench terminal {n}", Algorithm.SM4, Usage.MAC).ref for n in range(TERMINALS)]
    found = []
    for name, refs in (("machine.mac_verify", keys[:1] * MACS), ("machine.mac_verify.terminals", keys)):
        asked = [(ref, secrets.token_bytes(MESSAGE_BYTES)) for ref in refs]
        macs = machine.macs_of(asked)
        items = [(ref, message, mac) for (ref, message), mac in zip(asked, macs, strict=True)]
        if not all(machine.verify_macs(items)):
            raise AssertionError("a good MAC does not verify")
        verify = partial(machine.verify_macs, items)
        rates = [_rate(bench, verify) * len(items) for _ in range(bench.rounds)]
        detail = f"{len(items)} items of {MESSAGE_BYTES} bytes under {len(set(refs))} keys a call, SM4"
        found.append(Figure(name, statistics.median(rates), "MACs/s", detail=f"{detail}. {bench.rounds} rounds"))
    return found


def round_trip(bench: Bench, count: int = 4_000) -> Figure:
    """One MAC verified a call: what a single request costs its caller."""
    machine = bench.machine
    key = machine.generate("bench round trip", Algorithm.SM4, Usage.MAC)
    message = secrets.token_bytes(MESSAGE_BYTES)
    items = [(key.ref, message, machine.macs(key.ref, None, [message])[0])]
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        machine.verify_macs(items)
        taken.append((time.perf_counter() - start) * 1e6)
    cuts = statistics.quantiles(taken, n=100)
    detail = f"verify_macs of one item, {count:,} calls one after the other; p95 {cuts[94]:.0f}, p99 {cuts[98]:.0f} µs"
    return Figure("machine.round_trip_p50", cuts[49], "µs", detail=detail)


def pipelined(bench: Bench) -> Figure:
    """Small requests on one asyncio line with many under way: the switch's way."""
    key = bench.machine.generate("bench pipelined", Algorithm.SM4, Usage.MAC)
    message = secrets.token_bytes(MESSAGE_BYTES)
    items = [(key.ref, message, bench.machine.macs(key.ref, None, [message])[0])]

    async def ask(machine: AsyncEncryptionMachine, until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            await machine.verify_macs(items)
            done += 1
        return done

    async def measure() -> float:
        async with AsyncEncryptionMachine(bench.address, _CALLER, bench.secret) as machine:
            await machine.describe()
            start = time.perf_counter()
            done = await asyncio.gather(*(ask(machine, start + bench.seconds) for _ in range(UNDER_WAY)))
            return sum(done) / (time.perf_counter() - start)

    rates = [asyncio.run(measure()) for _ in range(bench.rounds)]
    detail = f"verify_macs of one item, {UNDER_WAY} requests under way on one line. Median of {bench.rounds} rounds"
    return Figure("machine.pipelined", statistics.median(rates), "requests/s", detail=detail)


def personalisation(bench: Bench, cards: int = CARDS, batch: int = BATCH) -> list[Figure]:
    """The keys of a large order of cards, derived and wrapped for each chip, and what the machine's process holds then.

    Each key is diversified by its card, wrapped under the chip's own transport key (diversified by the chip's serial)
    and given its check value: `wrap_for_chips`, SM4.
    """
    machine = bench.machine
    roots = [machine.generate(f"bench key {n}", Algorithm.SM4, Usage.DIVERSIFY).ref for n in range(KEYS_OF_A_CARD)]
    kek = machine.generate("bench transport", Algorithm.SM4, Usage.WRAP)
    before, start, keys = memory(bench.pid)["VmRSS"], time.perf_counter(), 0
    for first in range(0, cards, batch):
        serials = [number.to_bytes(8, "big") for number in range(first + 1, first + 1 + min(batch, cards - first))]
        keys += sum(map(len, machine.wrap_for_chips(roots, serials, kek.ref, serials)))
    taken, peak = time.perf_counter() - start, memory(bench.pid)["VmHWM"]
    if keys != KEYS_OF_A_CARD * cards:
        raise AssertionError("keys are missing")
    told = f"{KEYS_OF_A_CARD} SM4 keys for {cards:,} cards, each under its chip's transport key with its check value"
    name = "machine.personalisation.30x100k"
    return [
        Figure(name, keys / taken, "keys/s", detail=f"{told}; batches of {batch:,} cards; {taken:.1f} s in all"),
        Figure(f"{name}.memory", peak, "MB", detail=f"Most that the machine's process held; {before:.0f} MB before"),
    ]


def memory(pid: int) -> dict[str, float]:
    """What a process holds now (VmRSS) and held at most (VmHWM), in MB (10^6 bytes)."""
    rows = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {row[0].rstrip(":"): int(row[1]) * 1024 / 1e6 for row in rows if row[0] in ("VmRSS:", "VmHWM:")}


def openssl_bytes(algorithm: str, size: int) -> float:
    """Bytes per second by the clock of `openssl speed -evp`, one second long, `size` bytes a call."""
    command = ["openssl", "speed", "-mr", "-elapsed", "-seconds", "1", "-bytes", str(size), "-evp", algorithm]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    last = [line for line in done.stdout.splitlines() if line.startswith("+F")][-1].split(":")
    return float(last[-1])


def _rate(bench: Bench, call: Callable[[], object]) -> float:
    """Calls per second over a round."""
    done, start = 0, time.perf_counter()
    while True:
        call()
        done += 1
        taken = time.perf_counter() - start
        if taken >= bench.seconds:
            return done / taken


def _pair(factor: bytes) -> bytes:
    return factor + bytes(0xFF ^ value for value in factor)
