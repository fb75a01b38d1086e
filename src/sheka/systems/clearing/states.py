"""The states of a clearing day (S8)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

DAY = StateTable(
    "clearing day",
    "sealed",
    [
        Transition("sealed", "import", "sealed", "clearing officer, or the institution itself"),
        Transition("reconciled", "import", "sealed", "a file that came later: the day is reconciled again"),
        Transition("sealed", "reconcile", "reconciled", "clearing officer"),
        Transition("reconciled", "reconcile", "reconciled", "clearing officer"),
        Transition("reconciled", "net", "netted", "clearing officer"),
    ],
)
