"""The states of a document and of a paper."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

DOCUMENT = StateTable("document", "kept", [Transition("kept", "dispose", "disposed", "whoever keeps the archive")])
PAPER = StateTable(
    "paper",
    "valid",
    [
        Transition("valid", "replace", "void", "the system, when its facts changed"),
        Transition("valid", "void", "void", "supervisor"),
    ],
)
