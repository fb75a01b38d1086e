"""Scripts of key ceremonies as data: steps in their order, who acts in each (K6, policy/ceremonies.toml).

A ceremony keeps the script of the day of its plan, written out for its roster: that copy, and no later file, is what
its people attend, follow and sign.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.policy import policy_file

FILE = "ceremonies.toml"
LEADER, WITNESS, CUSTODIAN = "leader", "witness", "custodian"
PLAN = "ceremonies.plan"
"""The request of a ceremony that no other system asks for: machines, and what arrived on a carrier."""
RESTORE = "machine.restore"
"""The one ceremony that needs a machine without keys, and a back-up that another one made."""
SCHEMES = ("xor", "shamir")


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """One step as the policy has it; texts may name {key}."""

    does: str
    who: str
    zh: str
    en: str
    zh_do: str
    en_do: str
    confirm: bool
    lasting: bool
    each_key: bool


@dataclass(frozen=True, slots=True)
class Script:
    """What a kind of ceremony does. `custodians`: fewest and most; `asks`: what its plan must say."""

    kind: str
    title: Term
    custodians: tuple[int, int]
    days: int
    approval: str
    asks: tuple[str, ...]
    steps: tuple[ScriptStep, ...]


def script_for(kind: str, day: date) -> Script:
    """The script of this kind in force on `day`. Raises Refused(CEREMONY_KIND)."""
    found = next((row for row in _rows() if row["kind"] == kind and _counts(row, day)), None)
    if found is None:
        raise Refused(Code.CEREMONY_KIND, kind=kind)
    return _script(found)


def scripts_on(day: date) -> list[Script]:
    """Every script in force on `day`, in the order of the file."""
    return [_script(row) for row in _rows() if _counts(row, day)]


def title_of(kind: str) -> Term:
    """What a kind of ceremony is called, also one whose script is no longer in force."""
    return next((Term(row["zh"], row["en"]) for row in _rows() if row["kind"] == kind), Term(kind, kind))


def custodian(place: int) -> str:
    """The seat of the custodian at a place, 1 being the first.

    >>> custodian(2)
    'custodian-2'
    """
    return f"{CUSTODIAN}-{place}"


def written_out(script: Script, custodians: int, threshold: int, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The steps for this many custodians, as plain JSON: each with its `seats` and how many of them it `needed`.

    Where every custodian is needed they act one after the other, a step each; of a t-of-n scheme any t of them act in
    one step. A step for each key stands once for every one of `keys`, all steps of a key together.
    """
    steps: list[dict[str, Any]] = []
    for each_key, group in groupby(script.steps, lambda step: step.each_key):
        found = list(group)
        for key in keys if each_key else ("",):
            steps += [made for step in found for made in _for_seats(step, key, custodians, threshold)]
    return steps


def _for_seats(step: ScriptStep, key: str, custodians: int, threshold: int) -> Iterator[dict[str, Any]]:
    every = [custodian(place) for place in range(1, custodians + 1)]
    seats = {
        LEADER: [LEADER],
        WITNESS: [WITNESS],
        "custodians": every,
        "custodian 1": every[:1],
        "others": [*every, WITNESS],
        "everyone": [LEADER, *every, WITNESS],
        "each custodian": every,
    }[step.who]
    if step.who == "each custodian" and threshold == custodians:
        yield from (_plain(step, key, [seat], 1) for seat in seats)
    else:
        yield _plain(step, key, seats, threshold if step.who == "each custodian" else len(seats))


def _plain(step: ScriptStep, key: str, seats: list[str], needed: int) -> dict[str, Any]:
    texts = {name: getattr(step, name).replace("{key}", key) for name in ("zh", "en", "zh_do", "en_do")}
    marks = {"confirm": step.confirm, "lasting": step.lasting, "key": key}
    return {"does": step.does, **texts, **marks, "seats": seats, "needed": needed}


def _script(row: dict[str, Any]) -> Script:
    fewest, most = row["custodians"]
    return Script(
        kind=row["kind"],
        title=Term(row["zh"], row["en"]),
        custodians=(fewest, most),
        days=row["days"],
        approval=row["approval"],
        asks=tuple(row["asks"]),
        steps=tuple(_step(step) for step in row["step"]),
    )


def _step(row: dict[str, Any]) -> ScriptStep:
    texts = {name: row[name] for name in ("does", "who", "zh", "en", "zh_do", "en_do")}
    return ScriptStep(
        **texts,
        confirm=row.get("confirm", False),
        lasting=row.get("lasting", False),
        each_key=row.get("for") == "each key",
    )


def _counts(row: dict[str, Any], day: date) -> bool:
    return bool(row["valid_from"] <= day and ("valid_to" not in row or day < row["valid_to"]))


def _rows() -> list[dict[str, Any]]:
    path = policy_file(FILE)
    return _read(str(path), path.stat().st_mtime_ns)


@cache
def _read(path: str, _changed: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads(Path(path).read_text("utf-8"))["script"]
    return rows
