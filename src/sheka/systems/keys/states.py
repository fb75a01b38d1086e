"""The life of a key, the way of a consignment, the standing of a machine (K1, K2, K4)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

KEY = StateTable(
    "key",
    "planned",
    [
        Transition("planned", "generate", "generated", "key ceremony"),
        Transition("planned", "import", "distributed", "key ceremony of the recipient"),
        Transition("generated", "distribute", "distributed", "the subordinate's acknowledgement"),
        Transition("generated", "activate", "active", "key ceremony"),
        Transition("distributed", "activate", "active", "key ceremony"),
        Transition("generated", "suspend", "suspended", "incident"),
        Transition("distributed", "suspend", "suspended", "incident"),
        Transition("active", "suspend", "suspended", "incident"),
        Transition("suspended", "thaw_generated", "generated", "end of the incident"),
        Transition("suspended", "thaw_distributed", "distributed", "end of the incident"),
        Transition("suspended", "thaw_active", "active", "end of the incident"),
        Transition("generated", "retire", "retired", "two people"),
        Transition("distributed", "retire", "retired", "two people"),
        Transition("active", "retire", "retired", "two people"),
        Transition("suspended", "retire", "retired", "two people"),
        Transition("retired", "destroy", "destroyed", "key ceremony"),
    ],
)

WORKING = ("generated", "distributed", "active")
"""The machine has the key and nothing stands against its next step."""

CONSIGNMENT = StateTable(
    "consignment",
    "loaded",
    [
        Transition("loaded", "hand_over", "handed_over", "custodians of the sender"),
        Transition("loaded", "receive", "received", "custodians of the recipient"),
        Transition("handed_over", "receive", "received", "custodians of the recipient"),
        Transition("received", "import", "imported", "key ceremony of the recipient"),
        Transition("loaded", "acknowledge", "acknowledged", "the recipient's message"),
        Transition("handed_over", "acknowledge", "acknowledged", "the recipient's message"),
        Transition("received", "acknowledge", "acknowledged", "the recipient's message"),
        Transition("loaded", "lose", "lost", "report of loss"),
        Transition("handed_over", "lose", "lost", "report of loss"),
        Transition("received", "lose", "lost", "report of loss"),
        Transition("loaded", "dispute", "disputed", "check values differ"),
        Transition("handed_over", "dispute", "disputed", "check values differ"),
        Transition("received", "dispute", "disputed", "check values differ"),
    ],
)

ON_THE_WAY = ("loaded", "handed_over", "received")
"""The carrier holds sub-keys that nobody has taken in yet."""

MACHINE = StateTable(
    "machine",
    "registered",
    [
        Transition("registered", "certify", "certified", "two people"),
        Transition("certified", "certify", "certified", "two people: renewal"),
        Transition("registered", "retire", "retired", "two people"),
        Transition("certified", "retire", "retired", "two people"),
        Transition("certified", "replace", "registered", "key officer, another device key"),
        Transition("retired", "replace", "registered", "key officer, another device key"),
    ],
)
