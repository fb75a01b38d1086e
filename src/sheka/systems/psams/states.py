"""The life of a PSAM in the books of one organisation (K8). Its custody (who holds it, where it lies) is custody's."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

AT_A_TERMINAL = ("bound", "shipped", "active", "in_use")
"""Bound in the registry of terminals."""
IN_SERVICE = ("active", "in_use")
_STOPPABLE = ("blank", "loaded", "bound", "shipped", "active", "in_use", "returned", "frozen")

PSAM = StateTable(
    "psam",
    "blank",
    [
        Transition("blank", "load", "loaded", "key officer, through the machine"),
        Transition("loaded", "load", "loaded", "key officer: further keys, or a new version"),
        Transition("loaded", "bind", "bound", "acquiring officer: one terminal"),
        Transition("bound", "unbind", "loaded", "acquiring officer"),
        Transition("bound", "ship", "shipped", "whoever it was handed out to"),
        Transition("shipped", "activate", "active", "acquiring officer"),
        Transition("active", "describe", "in_use", "acquiring officer: form, conditions, mode of use"),
        Transition("in_use", "describe", "in_use", "acquiring officer: they changed"),
        *(Transition(state, "take_back", "returned", "custodian") for state in ("shipped", "active", "in_use")),
        Transition("returned", "recycle", "blank", "key officer: keys erased through the machine"),
        *(Transition(state, "leave", "away", "custody: another organisation has it") for state in ("blank", "loaded")),
        Transition("away", "arrive", "blank", "custody: it is here"),
        Transition("away", "arrive_loaded", "loaded", "custody: it is here, with keys"),
        *(Transition(state, "freeze", "frozen", "incident") for state in _STOPPABLE),
        Transition("frozen", "thaw", "returned", "incident closed: keys are erased before it works again"),
        *(Transition(state, "lose", "lost", "custody: reported lost") for state in (*_STOPPABLE, "away")),
        Transition("lost", "find", "frozen", "custody: found, and still stopped"),
        *(
            Transition(state, "destroy", "destroyed", "custody: destroyed before two witnesses")
            for state in ("blank", "loaded", "returned", "frozen", "lost", "away")
        ),
    ],
)
