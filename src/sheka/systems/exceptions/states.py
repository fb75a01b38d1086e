"""The states of an exception case (S10): nothing disappears, every case ends in a booked entry or a reasoned close."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition
from sheka.foundation.terms import Term

_OFFICER = "exceptions officer"
_HOLDER = "exceptions officer who holds it"
_RULE = "automatic rule"
_OPENER = "who opened the dispute"

CASE = StateTable(
    "exception case",
    "open",
    [
        Transition("open", "take", "in_hand", _OFFICER),
        Transition("in_hand", "take", "in_hand", "another exceptions officer takes over"),
        Transition("asked", "take", "in_hand", "exceptions officer: without waiting any longer"),
        Transition("in_hand", "give_back", "open", _HOLDER),
        Transition("in_hand", "ask", "asked", _HOLDER + ": the other side has the turn"),
        Transition("asked", "answer", "in_hand", "the other side, or the clock"),
        Transition("in_hand", "propose", "proposed", _HOLDER + ": an adjustment or a decision"),
        Transition("proposed", "send_back", "in_hand", "approver refuses, or the request lapses"),
        Transition("proposed", "resolve", "resolved", "approver: another person; the entry is booked"),
        Transition("proposed", "decide", "closed", "approver: another person; nothing is to be booked"),
        Transition("open", "close", "closed", _OFFICER + ", or an automatic rule"),
        Transition("in_hand", "close", "closed", _HOLDER),
        Transition("asked", "close", "closed", _HOLDER),
        *(Transition(state, "withdraw", "closed", _OPENER) for state in ("open", "in_hand", "asked")),
        Transition("open", "resolve", "resolved", _RULE + ": the books hold the entry"),
        Transition("unknown", "close", "closed", _RULE + ": the outcome is known, no money moved"),
        Transition("unknown", "resolve", "resolved", _RULE + ": the outcome is known, the entry stands"),
        Transition("unknown", "give_up", "open", "the clock: no rule could say what became of it"),
        Transition("closed", "reopen", "open", _OFFICER),
        Transition("resolved", "reopen", "open", _OFFICER),
    ],
)
UNKNOWN = "unknown"
RUNNING = ("unknown", "open", "in_hand", "asked", "proposed")
ENDED = ("resolved", "closed")
UNTOUCHED = ("unknown", "open")
"""States in which nobody's hand is on a case: rules may judge it."""

STATE_WORDS = {
    "unknown": Term("结果未知", "outcome unknown"),
    "open": Term("待处理", "open"),
    "in_hand": Term("处理中", "in hand"),
    "asked": Term("待对方答复", "waiting for the other side"),
    "proposed": Term("待审批", "waiting for approval"),
    "resolved": Term("入账结案", "resolved by an entry"),
    "closed": Term("已结案", "closed with a reason"),
}
