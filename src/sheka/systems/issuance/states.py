"""The states of an issuing application, at each of the three levels that hold a copy of it."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

APPLICATION = StateTable(
    "application",
    "drafted",
    [
        Transition("drafted", "submit", "submitted", "city"),
        Transition("submitted", "note_examined", "examined", "message from the province"),
        Transition("submitted", "note_rejected", "rejected", "message from the province"),
        Transition("examined", "note_approved", "approved", "message from the ministry"),
        Transition("examined", "note_rejected", "rejected", "message from the ministry"),
        Transition("received", "examine", "examined", "province: preliminary examination (I2)"),
        Transition("received", "approve", "approved", "ministry: review (I1, I3)"),
        Transition("received", "reject", "rejected", "province or ministry"),
        Transition("approved", "file", "filed", "ministry: National IC Card Registration Center (I3)"),
    ],
)
