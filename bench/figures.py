"""What a bench answers: named figures, and the facts of the machine that they were taken on.

A bench module has `run(long: bool = False) -> list[Figure]` and ends within 55 seconds unless `long`. Figure names are
stable (`diversify.sm4.vs_openssl`), so that a figure can be followed over time; `ratio` is the one that is compared.
"""

from __future__ import annotations

import os
import platform
import ssl
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("sheka", "cryptography", "numpy", "asyncpg", "psycopg", "django", "pyemv", "pyiso8583")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: `value` in `unit`; `ratio` = value over the value of `baseline`, when there is something to beat."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    baseline: str = ""
    detail: str = ""


def report(bench: str, figures: Iterable[Figure]) -> dict[str, object]:
    """The JSON object of a bench: {bench, machine, figures: [{name, value, unit, ratio, baseline, detail}]}."""
    return {"bench": bench, "machine": machine_facts(), "figures": [_rounded(figure) for figure in figures]}


def machine_facts() -> dict[str, object]:
    """What the figures depend on: processor, cores, memory, load at this moment, and the versions at work."""
    facts: dict[str, object] = {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_mib": _memory_mib(),
        "load_1min": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
    }
    for package in PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            continue
    return facts


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor seconds (user and system, this process) of `work`: less troubled by busy neighbours than the clock."""
    before = time.process_time()
    work()
    return time.process_time() - before


def interleaved(rounds: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Each measure once, then all again, `rounds` times: slow minutes of the machine meet all of them alike."""
    taken: list[list[float]] = [[] for _ in measures]
    for _round in range(rounds):
        for results, measure in zip(taken, measures, strict=True):
            results.append(measure())
    return taken


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of neighbouring rounds."""
    return statistics.median(own / other for own, other in zip(ours, theirs, strict=True))


def _rounded(figure: Figure) -> dict[str, object]:
    row = asdict(figure)
    row["value"] = _short(figure.value)
    row["ratio"] = None if figure.ratio is None else _short(figure.ratio)
    return row


def _short(number: float) -> float:
    """Four significant digits: more would pretend."""
    return float(f"{number:.4g}")


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory_mib() -> int | None:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return None


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
