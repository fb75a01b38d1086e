"""The way of a sub-key from level to level (K2)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

DELIVERY = StateTable(
    "delivery",
    "sent",
    [
        Transition("sent", "acknowledge", "acknowledged", "recipient"),
        Transition("sent", "dispute", "disputed", "recipient"),
        Transition("received", "import", "imported", "key officer"),
    ],
)
