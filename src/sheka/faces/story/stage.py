"""The stage: the running world that a story is played on, and the telling of its steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from sheka.equipment.initialisation.drawer import ChipDrawer
from sheka.equipment.server.node import NodeConfig
from sheka.foundation.refusals import Code, Refused

T = TypeVar("T")
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class StepResult:
    """What is written about a step: the requirement it shows, its text, whether it held, how long it took."""

    requirement: str
    text: str
    ok: bool
    seconds: float
    detail: str = ""

    def row(self) -> dict[str, object]:
        return asdict(self)


@dataclass
class Stage:
    """A running node and what the story has made so far (`made`), by name."""

    node: NodeConfig
    drawer: ChipDrawer
    made: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a function that plays it and raises when it does not hold; its return value is a detail to show."""

    requirement: str
    zh: str
    en: str
    play: Callable[[Stage], str]

    def text(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en


class DidNotHold(Exception):
    """What the story expected did not happen."""


def must(condition: object, what: str) -> None:
    """Raises DidNotHold(what) unless the condition is true."""
    if not condition:
        raise DidNotHold(what)


def must_refuse(code: Code, verb: Callable[[], object]) -> str:
    """The verb is refused with this number; its sentence. Raises DidNotHold when it goes through."""
    try:
        verb()
    except Refused as refusal:
        if refusal.code is code:
            return str(refusal)
        raise
    raise DidNotHold(f"{code.name} was expected")


def until(found: Callable[[], T], what: str) -> T:
    """Wait for another process of the node (the worker carries messages) until `found` is true; its value."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        value = found()
        if value:
            return value
        if time.monotonic() > deadline:
            raise DidNotHold(f"waited {PATIENCE_SECONDS:.0f} s for: {what}")
        time.sleep(0.05)


def play(
    stage: Stage, steps: list[Step], tell: Callable[[Step, StepResult], None], language: str = "en"
) -> list[StepResult]:
    """Play the steps in order; after the first that does not hold the rest are told as not played."""
    results: list[StepResult] = []
    for step in steps:
        began = time.monotonic()
        if results and not results[-1].ok:
            result = StepResult(step.requirement, step.text(language), False, 0.0, "not played")
        else:
            try:
                detail, ok = step.play(stage), True
            except (DidNotHold, Refused) as error:
                detail, ok = str(error), False
            result = StepResult(step.requirement, step.text(language), ok, round(time.monotonic() - began, 3), detail)
        results.append(result)
        tell(step, result)
    return results
