"""policy/psams.toml (K8): which kinds of institutions must have a PSAM in every terminal, when silence is asked about,
what a PSAM is loaded with. Plain Python: the switch imports it without Django.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PsamPolicy:
    """`required`: first letters of the codes of institutions whose terminals must hold a PSAM."""

    required: frozenset[str]
    silent_days: int
    keys: tuple[str, ...]


def psam_policy() -> PsamPolicy:
    """The policy as the file says now. Raises OSError, KeyError: a switch without its policy does not start."""
    folder = Path(os.environ.get("SHEKA_POLICY") or Path(__file__).resolve().parents[4] / "policy")
    table = tomllib.loads((folder / "psams.toml").read_text("utf-8"))
    return PsamPolicy(
        frozenset(letter for letter, row in table["institutions"].items() if row["required"]),
        int(table["watch"]["silent_days"]),
        tuple(table["load"]["keys"]),
    )
