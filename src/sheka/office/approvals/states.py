"""The states of a request, at each organisation that holds a copy of it."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition
from sheka.foundation.terms import Term

PROPOSAL = StateTable(
    "proposal",
    "open",
    [
        Transition("open", "pass", "open", "decider: one consent of several, or one step of several"),
        Transition("open", "approve", "approved", "decider: the last seat of the last step"),
        Transition("open", "finish", "done", "decider: the last seat, where the system carries it out at once"),
        Transition("open", "reject", "rejected", "decider"),
        Transition("open", "supplement", "returned", "decider"),
        Transition("open", "amend", "open", "author or colleague, while it is decided at home"),
        Transition("returned", "complete", "open", "author or colleague"),
        Transition("open", "withdraw", "withdrawn", "author"),
        Transition("returned", "withdraw", "withdrawn", "author"),
        Transition("approved", "withdraw", "withdrawn", "author"),
        Transition("open", "expire", "expired", "clock"),
        Transition("returned", "expire", "expired", "clock"),
        Transition("approved", "expire", "expired", "clock"),
        Transition("approved", "carry_out", "done", "system that proposed it"),
    ],
)
RUNNING = ("open", "returned", "approved")
"""Somebody's turn."""
PASSED = ("approved", "done")
VERDICTS = ("approve", "supplement", "reject")

STATE_WORDS = {
    "open": Term("待审", "to be decided"),
    "returned": Term("退回补正", "returned for completion"),
    "approved": Term("已批准", "approved"),
    "done": Term("已批准并执行", "approved and carried out"),
    "rejected": Term("未通过", "rejected"),
    "withdrawn": Term("已撤回", "withdrawn"),
    "expired": Term("已过期", "expired"),
}
