"""The states of institutions, terminals and archived days (S4)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

OFFICER, SUPERVISOR = "acquiring officer", "acquiring supervisor"

INSTITUTION = StateTable(
    "institution",
    "registered",
    [
        Transition("registered", "begin_testing", "testing", OFFICER),
        Transition("testing", "give_up", "registered", OFFICER),
        Transition("testing", "accept", "accepted", OFFICER),
        Transition("accepted", "activate", "active", f"{SUPERVISOR}, another person"),
        Transition("active", "adopt", "active", f"{SUPERVISOR}, another person"),
        Transition("active", "suspend", "suspended", SUPERVISOR),
        Transition("suspended", "resume", "active", SUPERVISOR),
        Transition("registered", "close", "closed", SUPERVISOR),
        Transition("accepted", "close", "closed", SUPERVISOR),
        Transition("suspended", "close", "closed", SUPERVISOR),
    ],
)
"""`adopt` takes up a protocol version that was tested beside the one in use."""
TERMINAL = StateTable(
    "terminal",
    "registered",
    [
        Transition("registered", "activate", "active", f"{SUPERVISOR}, another person"),
        Transition("active", "suspend", "suspended", SUPERVISOR),
        Transition("suspended", "resume", "active", SUPERVISOR),
        Transition("registered", "close", "closed", SUPERVISOR),
        Transition("suspended", "close", "closed", SUPERVISOR),
        Transition("active", "lock", "locked", "switch"),
        Transition("locked", "unlock", "active", SUPERVISOR),
        Transition("locked", "close", "closed", SUPERVISOR),
    ],
)
"""Wrong MACs or cryptograms lock a terminal (`switch_faults`); a person unlocks it (`actions/unlock_terminal`)."""
ARCHIVE = StateTable(
    "archived day",
    "attached",
    [
        Transition("attached", "write", "attached", "clearing officer"),
        Transition("attached", "detach", "detached", "settlement officer"),
        Transition("detached", "restore", "attached", "clearing officer"),
    ],
)
