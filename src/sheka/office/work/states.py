"""The states of a work item: open, waiting for others until a day, done."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

ITEM = StateTable(
    "work item",
    "open",
    [
        Transition("open", "take", "open", "whoever holds the permission of its pool"),
        Transition("open", "give_back", "open", "the person who has it"),
        Transition("waiting", "give_back", "open", "the person who has it"),
        Transition("open", "assign", "open", "supervisor"),
        Transition("waiting", "assign", "open", "supervisor"),
        Transition("open", "postpone", "waiting", "the person who has it"),
        Transition("waiting", "resume", "open", "the person who has it, or the clock on the day"),
        Transition("open", "close", "done", "the action of the system that did the work"),
        Transition("waiting", "close", "done", "the action of the system that did the work"),
    ],
)
NOT_DONE = ("open", "waiting")
