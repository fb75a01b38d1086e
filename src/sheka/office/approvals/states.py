"""The states of a proposal."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

PROPOSAL = StateTable(
    "proposal",
    "open",
    [
        Transition("open", "approve", "approved", "decider"),
        Transition("open", "reject", "rejected", "decider"),
        Transition("open", "expire", "expired", "clock"),
        Transition("approved", "carry_out", "done", "system that proposed it"),
    ],
)
