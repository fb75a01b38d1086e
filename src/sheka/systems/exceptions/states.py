"""The states of an exception case (S10): nothing disappears, every case ends in a booked entry or a reasoned close."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

CASE = StateTable(
    "exception case",
    "open",
    [
        Transition("open", "take", "in_hand", "exceptions officer"),
        Transition("in_hand", "give_back", "open", "exceptions officer"),
        Transition("open", "close", "closed", "exceptions officer"),
        Transition("in_hand", "close", "closed", "exceptions officer"),
    ],
)
