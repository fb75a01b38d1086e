"""The script of test transactions (policy/onboarding.toml) and what of it the switch has seen (S4).

Nothing here is ticked by hand: a step is done when the messages that it asks for stand in the switch's record of the
institution's test terminals, in their order, with the answers that it names.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.policy import policy_file
from sheka.systems.transactions.acquiring_models import Onboarding, Trial
from sheka.systems.transactions.verb_models import Batch

POLICY = "onboarding.toml"


Batches = Mapping[tuple[int, str, str], int]
"""Terminal, day (MMDD) and trace number of each settlement → how many movements of money stand in its batch."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One message of a step, as it must have been answered. Empty: whatever it was. `moved`: the fewest movements of
    money in the batch that it settles, by the switch's own count: an empty batch proves nothing.
    """

    types: tuple[str, ...]
    codes: tuple[str, ...]
    processing: str = ""
    network: str = ""
    moved: int = 0

    def matches(self, trial: Trial, batches: Batches) -> bool:
        return (
            trial.type in self.types
            and trial.response_code in self.codes
            and trial.processing.startswith(self.processing)
            and (not self.network or trial.network == self.network)
            and (not self.moved or batches.get(_key(trial), 0) >= self.moved)
        )


@dataclass(frozen=True, slots=True)
class Script:
    """A step of the script: `channels` it is asked of, `equal` when all its answers say the same."""

    name: str
    title: Term
    channels: tuple[str, ...]
    messages: tuple[Pattern, ...]
    equal: bool


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the interface, with the days in which an institution may speak it; the last no longer counts."""

    protocol: str
    valid_from: date
    valid_to: date

    def in_force(self, day: date) -> bool:
        return self.valid_from <= day < self.valid_to


@dataclass(frozen=True, slots=True)
class Tick:
    """How far a step is: `at` and `trial` of the message that ended it, None while it is missing."""

    step: Script
    at: datetime | None = None
    trial: int | None = None

    @property
    def done(self) -> bool:
        return self.trial is not None


def steps(channel: str) -> tuple[Script, ...]:
    """The steps that a channel is asked for, in the order of the file."""
    return tuple(step for step in _policy(policy_file(POLICY))[0] if channel in step.channels)


def versions() -> tuple[Version, ...]:
    return _policy(policy_file(POLICY))[1]


def version(protocol: str, day: date) -> Version:
    """Raises Refused(PROTOCOL_NOT_IN_FORCE)."""
    for known in versions():
        if known.protocol == protocol and known.in_force(day):
            return known
    raise Refused(Code.PROTOCOL_NOT_IN_FORCE, protocol=protocol)


def progress(onboarding: Onboarding) -> list[Tick]:
    """Each step of the script with what the switch saw since the tests began; of ended tests as it was then."""
    wanted = steps(onboarding.channel)
    if onboarding.ticks:
        wanted = tuple(step for step in wanted if step.name in onboarding.ticks)  # the script as it was then
    rows = Trial.objects.filter(
        terminal__institution__test_of_id=onboarding.institution_id,
        terminal__channel=onboarding.channel,
        at__gte=onboarding.begun_at,
    ).order_by("at", "id")  # what is written together has its numbers in any order
    settled = Batch.objects.filter(institution__test_of_id=onboarding.institution_id, at__gte=onboarding.begun_at)
    if onboarding.ended_at is not None:
        rows = rows.filter(at__lte=onboarding.ended_at)
    batches = {(one.terminal_id, f"{one.business_date:%m%d}", f"{one.stan:06d}"): sum(one.ours[:4]) for one in settled}
    return ticked(wanted, rows, batches)


def ticked(wanted: Sequence[Script], trials: Iterable[Trial], batches: Batches | None = None) -> list[Tick]:
    """The same, of any messages in the order in which the switch saw them."""
    talks: dict[tuple[int, str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        talks[_key(trial)].append(trial)
    found = []
    for step in wanted:
        ends = [end for talk in talks.values() if (end := _end(step, talk, batches or {})) is not None]
        last = min(ends, key=lambda trial: trial.pk, default=None)
        found.append(Tick(step, last.at, last.pk) if last is not None else Tick(step))
    return found


def _key(trial: Trial) -> tuple[int, str, str]:
    return trial.terminal_id, trial.day, trial.stan


def _end(step: Script, talk: Sequence[Trial], batches: Batches) -> Trial | None:
    """The message that completes the step within the messages of one key, None when it is not complete."""
    first = step.messages[0]
    for at, begun in enumerate(talk):
        if not first.matches(begun, batches):
            continue
        last, rest = begun, list(step.messages[1:])
        for trial in talk[at + 1 :]:
            if rest and rest[0].matches(trial, batches) and (not step.equal or _said(trial) == _said(begun)):
                last, rest = trial, rest[1:]
        if not rest:
            return last
    return None


def _said(trial: Trial) -> tuple[object, ...]:
    return trial.response_code, trial.refusal, trial.booked, trial.balance


def _policy(path: Path) -> tuple[tuple[Script, ...], tuple[Version, ...]]:
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, changed: int) -> tuple[tuple[Script, ...], tuple[Version, ...]]:
    table: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    script = tuple(
        Script(
            row["name"],
            Term(row["zh"], row["en"]),
            tuple(row["channels"]),
            tuple(
                Pattern(
                    tuple(one["types"]),
                    tuple(one["codes"]),
                    one.get("processing", ""),
                    str(one.get("network", "")),
                    int(one.get("moved", 0)),
                )
                for one in row["messages"]
            ),
            bool(row.get("equal", False)),
        )
        for row in table["steps"]
    )
    return script, tuple(Version(**row) for row in table["versions"])
