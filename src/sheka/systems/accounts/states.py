"""The states of an account, of a file of deposits, and of a run of interest (S6)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

ACCOUNT = StateTable(
    "account",
    "open",
    [
        Transition("open", "freeze", "frozen", "account supervisor"),
        Transition("frozen", "release", "open", "account supervisor"),
        Transition("open", "close", "closed", "account officer, empty; else by approval"),
    ],
)

DEPOSIT_FILE = StateTable(
    "deposit_file",
    "received",
    [
        Transition("received", "check", "ready", "the node: every line can be booked, or the policy skips the others"),
        Transition("received", "refuse", "refused", "the node: nothing of it is booked"),
        Transition("ready", "release", "booking", "account officer, or somebody other than the sender"),
        Transition("ready", "withdraw", "withdrawn", "account officer or supervisor"),
        Transition("booking", "finish", "booked", "the node: every line was put before the ledger"),
    ],
)

INTEREST_RUN = StateTable(
    "interest_run",
    "reckoned",
    [
        Transition("reckoned", "propose", "proposed", "account officer"),
        Transition("reckoned", "withdraw", "withdrawn", "account officer"),
        Transition("proposed", "withdraw", "withdrawn", "the request was refused, withdrawn or lapsed"),
        Transition("proposed", "approve", "booking", "account supervisor, by approval"),
        Transition("booking", "finish", "booked", "the node"),
        Transition("booked", "resume", "booking", "account supervisor: accounts that were frozen are open again"),
    ],
)
