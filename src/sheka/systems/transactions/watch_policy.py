"""policy/switch_watch.toml (S4): when the live board marks an alarm."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """Shares of one, seconds, milliseconds, numbers."""

    refused_share: float
    refused_least: int
    silence: int
    silence_of_process: int
    p99_ms: int
    machine_ms: int
    database_ms: int
    dropped: int


def watch_policy() -> WatchPolicy:
    """The policy as the file says now. Raises OSError, KeyError."""
    folder = Path(os.environ.get("SHEKA_POLICY") or Path(__file__).resolve().parents[4] / "policy")
    table = tomllib.loads((folder / "switch_watch.toml").read_text("utf-8"))
    return WatchPolicy(
        refused_share=float(table["refusals"]["share"]),
        refused_least=int(table["refusals"]["least"]),
        silence=int(table["silence"]["seconds"]),
        silence_of_process=int(table["silence"]["process"]),
        p99_ms=int(table["latency"]["p99_ms"]),
        machine_ms=int(table["latency"]["machine_ms"]),
        database_ms=int(table["latency"]["database_ms"]),
        dropped=int(table["journal"]["dropped"]),
    )
