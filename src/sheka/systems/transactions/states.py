"""The states of institutions and terminals (S4)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition


def _registration(name: str) -> StateTable:
    return StateTable(
        name,
        "registered",
        [
            Transition("registered", "activate", "active", "acquiring officer"),
            Transition("active", "suspend", "suspended", "acquiring officer"),
            Transition("suspended", "resume", "active", "acquiring officer"),
            Transition("registered", "close", "closed", "acquiring officer"),
            Transition("suspended", "close", "closed", "acquiring officer"),
        ],
    )


INSTITUTION = _registration("institution")
TERMINAL = _registration("terminal")
