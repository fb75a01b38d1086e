"""What the steps of a ceremony do: one function for each `does` of a script, registered by its word (K6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sheka.foundation.refusals import Refused
from sheka.systems.ceremonies.run import Run

Effect = Callable[[Run], dict[str, Any]]
EFFECTS: dict[str, Effect] = {}


class Lost(Exception):
    """The machine no longer has the entry of components: it is begun anew, from the step that began it."""

    def __init__(self, key: str, refusal: Refused) -> None:
        self.key, self.refusal = key, refusal
        super().__init__(key)


def effect(word: str) -> Callable[[Effect], Effect]:
    """Register what a step does. It gets the run, and answers the evidence that it leaves (plain JSON, no secret)."""

    def register(does: Effect) -> Effect:
        EFFECTS[word] = does
        return does

    return register


def effect_named(word: str) -> Effect:
    """Raises KeyError for a word of the policy that no effect has."""
    from sheka.systems.ceremonies.effects import components, machine, registry, shares  # noqa: F401 - they register

    return EFFECTS[word]
