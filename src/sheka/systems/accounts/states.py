"""The states of an account (S6)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

ACCOUNT = StateTable(
    "account",
    "open",
    [
        Transition("open", "freeze", "frozen", "account officer"),
        Transition("frozen", "release", "open", "account officer"),
        Transition("open", "close", "closed", "account officer"),
    ],
)
