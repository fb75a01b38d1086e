"""The states of a carrier, an order, a hand-over, a count, an entrustment and a destruction (K5, K6, K7)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

IN_HAND = ("blank", "loaded", "in_use", "returned", "faulty")
"""The organisation itself has it, and nothing forbids to work with it but a fault."""
STORED = ("blank", "loaded")
STOPPED = ("lost", "frozen")
HELD = (*IN_HAND, "frozen")
"""It should be found where the register says when somebody counts."""
_FREEZES = ("blank", "loaded", "in_transit", "in_use", "entrusted", "returned", "faulty")


def _stored(source: str, verb: str, who: str) -> list[Transition]:
    """A verb after which a carrier lies in the store: blank without content, `<verb>_loaded` with it."""
    return [Transition(source, verb, "blank", who), Transition(source, f"{verb}_loaded", "loaded", who)]


CARRIER = StateTable(
    "carrier",
    "blank",
    [
        Transition("blank", "fill", "loaded", "ceremony"),
        Transition("in_use", "fill", "in_use", "ceremony, or who had it handed over"),
        Transition("loaded", "empty", "blank", "ceremony"),
        Transition("in_use", "empty", "in_use", "ceremony, or who had it handed over"),
        Transition("blank", "hand_out", "in_use", "custodian gives, user receives (K6)"),
        Transition("loaded", "hand_out", "in_use", "custodian gives, user receives (K6)"),
        Transition("in_use", "hand_out", "in_use", "one user gives, another receives (K6)"),
        *_stored("in_use", "put_back", "user gives, custodian receives (K6)"),
        Transition("blank", "put_back", "blank", "one custodian gives, another receives (K6)"),
        Transition("loaded", "put_back_loaded", "loaded", "one custodian gives, another receives (K6)"),
        Transition("blank", "send", "in_transit", "giver at the sender"),
        Transition("loaded", "send", "in_transit", "giver at the sender"),
        *_stored("in_transit", "receive", "receiver; the giver when it came back"),
        Transition("in_transit", "leave", "away", "message: the other organisation has it"),
        Transition("away", "announce", "in_transit", "message: it comes back"),
        Transition("blank", "entrust", "entrusted", "custodian gives, supervisor receives (K7)"),
        Transition("loaded", "entrust", "entrusted", "custodian gives, supervisor receives (K7)"),
        Transition("entrusted", "return", "returned", "supervisor gives, custodian receives (K7)"),
        *_stored("returned", "pass", "custodian: seal and content are as they were"),
        *(Transition(state, "fail", "faulty", "custodian") for state in ("blank", "loaded", "in_use", "returned")),
        *(Transition(state, "freeze", "frozen", "incident") for state in _FREEZES),
        Transition("frozen", "thaw", "returned", "incident closed: looked at again before use"),
        Transition("frozen", "thaw_in_transit", "in_transit", "incident closed"),
        Transition("frozen", "thaw_entrusted", "entrusted", "incident closed"),
        *(Transition(state, "report_lost", "lost", "whoever misses it") for state in (*_FREEZES, "away", "frozen")),
        Transition("lost", "find", "frozen", "custodian: found, its content stays stopped"),
        *(
            Transition(state, "destroy", "destroyed", "custodian, two witnesses")
            for state in ("blank", "loaded", "returned", "faulty", "frozen")
        ),
        Transition("away", "note_destroyed", "destroyed", "message: the other organisation destroyed it"),
    ],
)

ORDER = StateTable(
    "carrier order",
    "asked",
    [
        Transition("asked", "approve", "approved", "ministry"),
        Transition("asked", "refuse", "refused", "superior, ministry, or nobody in time"),
        Transition("approved", "issue", "approved", "custodian of the ministry: a part of it"),
        Transition("approved", "complete", "issued", "custodian of the ministry: the last of it"),
    ],
)

HAND_OVER = StateTable(
    "hand-over",
    "begun",
    [
        Transition("begun", "give", "given", "giver, present"),
        Transition("begun", "cancel", "cancelled", "giver's organisation"),
        Transition("begun", "expire", "expired", "clock"),
        Transition("given", "receive", "completed", "receiver, present"),
        Transition("given", "complete", "completed", "message: both halves are there"),
        Transition("given", "dispute", "disputed", "receiver: seal or content is not what was told; or its message"),
        Transition("given", "cancel", "cancelled", "giver, within one organisation"),
        Transition("given", "expire", "expired", "clock, within one organisation"),
        Transition("given", "recall", "recalled", "giver's organisation, from another one"),
        Transition("recalled", "cancel", "cancelled", "message: the receiver had not taken it"),
        Transition("recalled", "complete", "completed", "message: the receiver had it already"),
        Transition("recalled", "dispute", "disputed", "message: the receiver had refused it already"),
    ],
)
RUNNING = ("begun", "given", "recalled")

COUNT = StateTable(
    "stock count",
    "open",
    [
        Transition("open", "count", "counted", "first counter"),
        Transition("counted", "agree", "agreed", "second counter: all is there and nothing else"),
        Transition("counted", "differ", "differed", "second counter: an incident is reported"),
        Transition("open", "give_up", "given_up", "custodian"),
        Transition("counted", "give_up", "given_up", "custodian"),
    ],
)
COUNTING = ("open", "counted")

ENTRUSTMENT = StateTable(
    "entrustment",
    "prepared",
    [
        Transition("prepared", "go_out", "out", "custodian gives, supervisor receives (K7)"),
        Transition("out", "go_out", "out", "the next of its carriers"),
        Transition("out", "come_back", "back", "supervisor gives, custodian receives: the last of its carriers"),
        Transition("prepared", "give_up", "given_up", "custodian"),
    ],
)

DESTRUCTION = StateTable(
    "carrier destruction",
    "open",
    [
        Transition("open", "witness", "open", "two people, neither of them the creator"),
        Transition("open", "close", "closed", "custodian, when both have witnessed"),
        Transition("open", "give_up", "given_up", "custodian"),
    ],
)
