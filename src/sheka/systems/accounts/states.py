"""The states of an account, of a file of deposits, of a run of interest, of a moving account, of late money (S6)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

ACCOUNT = StateTable(
    "account",
    "open",
    [
        Transition("open", "freeze", "frozen", "account supervisor"),
        Transition("frozen", "release", "open", "account supervisor"),
        Transition("open", "close", "closed", "account officer, empty; else by approval"),
        Transition("closed", "reopen", "open", "the node, within one transaction: late money leaves it"),
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

MOVING_OUT = StateTable(
    "moving_out",
    "sent",
    [Transition("sent", "settle", "settled", "the node: the other city has taken it, its payment is ordered")],
)

MOVING_IN = StateTable(
    "moving_in",
    "taken",
    [Transition("taken", "settle", "settled", "the node: the payment of the other city is ordered")],
)

LATE_MONEY = StateTable(
    "late_money",
    "waiting",
    [
        Transition("waiting", "pay", "paid", "account supervisor, by approval"),
        Transition("waiting", "pass_on", "moved", "the node: the holder has an account that receives it"),
    ],
)
