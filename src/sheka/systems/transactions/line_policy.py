"""policy/lines.toml (S4): what the line to institutions demands. Plain Python: the switch imports it without Django."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ALWAYS, PRODUCTION, NEVER = "always", "production", "never"
NONE, TAC, MAC1 = "none", "tac", "mac1"


@dataclass(frozen=True, slots=True)
class LinePolicy:
    """`sign_on`: needed before anything else; `skew`: seconds that field 7 may differ, 0 for any; `overlap`: seconds
    that a replaced key serves; `faults`: kind → how many within `fault_seconds` lock a terminal; `pin_tries`: wrong
    PINs that block; `pin_required`, `cryptogram`: by the first letter of the institution's code.
    """

    sign_on: bool
    skew: int
    overlap: int
    fault_seconds: int
    faults: Mapping[str, int]
    pin_tries: int
    pin_required: frozenset[str]
    cryptogram: Mapping[str, str]


@cache
def line_policy(demo: bool) -> LinePolicy:
    """The policy as the file says. Raises OSError, KeyError, ValueError: a switch without its policy does not start."""
    folder = Path(os.environ.get("SHEKA_POLICY") or Path(__file__).resolve().parents[4] / "policy")
    table = tomllib.loads((folder / "lines.toml").read_text("utf-8"))
    kinds = table["institutions"]
    return LinePolicy(
        _holds(table["sign_on"]["when"], demo),
        int(table["clock"]["skew_seconds"]) if _holds(table["clock"]["when"], demo) else 0,
        int(table["keys"]["overlap_seconds"]),
        int(table["faults"]["seconds"]),
        {kind: int(table["faults"][kind]) for kind in ("mac", "proof")},
        int(table["pin"]["tries"]),
        frozenset(letter for letter, row in kinds.items() if row["pin"]),
        {letter: (NONE, TAC, MAC1)[(NONE, TAC, MAC1).index(row["cryptogram"])] for letter, row in kinds.items()},
    )


def _holds(when: str, demo: bool) -> bool:
    if when not in (ALWAYS, PRODUCTION, NEVER):
        raise ValueError(f"policy/lines.toml: when = {when!r}")
    return when == ALWAYS or (when == PRODUCTION and not demo)
