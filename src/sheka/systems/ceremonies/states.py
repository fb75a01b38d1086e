"""The states of a ceremony: forward only (K6)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition
from sheka.foundation.terms import Term

CEREMONY = StateTable(
    "ceremony",
    "planned",
    [
        Transition("planned", "begin", "running", "whoever of the roster attends first"),
        Transition("running", "finish", "done", "the last signature"),
        Transition("planned", "abort", "aborted", "anybody of the roster, with a reason"),
        Transition("running", "abort", "aborted", "anybody of the roster, with a reason"),
        Transition("planned", "expire", "expired", "clock"),
        Transition("running", "expire", "expired", "clock"),
    ],
)
LIVE = ("planned", "running")
STATE_WORDS = {
    "planned": Term("已安排", "planned"),
    "running": Term("进行中", "running"),
    "done": Term("已完成", "completed"),
    "aborted": Term("已中止", "aborted"),
    "expired": Term("已过期", "expired"),
}
