"""The states of a card, of an exchange, and of what happens to old cards (S3, R1-R8)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

CARD = StateTable(
    "card",
    "ordered",
    [
        Transition("ordered", "number", "numbered", "card producer"),
        Transition("numbered", "personalise", "personalised", "card producer"),
        Transition("personalised", "receive", "in_stock", "outlet"),
        Transition("in_stock", "hand_out", "handed_out", "outlet"),
        Transition("handed_out", "activate", "active", "outlet, with the card itself"),
        Transition("active", "report_loss_temporarily", "temporarily_lost", "holder"),
        Transition("handed_out", "report_loss_temporarily", "temporarily_lost", "holder"),
        Transition("active", "report_loss", "lost", "holder, at an outlet"),
        Transition("handed_out", "report_loss", "lost", "holder, at an outlet"),
        Transition("temporarily_lost", "report_loss", "lost", "holder, at an outlet"),
        Transition("temporarily_lost", "release", "active", "holder, at an outlet"),
        Transition("lost", "release", "active", "holder, at an outlet"),
        Transition("temporarily_lost", "release_unused", "handed_out", "holder of a card never activated"),
        Transition("lost", "release_unused", "handed_out", "holder of a card never activated"),
        Transition("active", "block", "blocked", "supervisor"),
        Transition("handed_out", "block", "blocked", "supervisor"),
        Transition("blocked", "unblock", "active", "supervisor"),
        Transition("blocked", "unblock_unused", "handed_out", "supervisor, card never activated"),
        Transition("active", "replace", "replaced", "collection of the new card"),
        Transition("handed_out", "replace", "replaced", "collection of the new card"),
        Transition("blocked", "replace", "replaced", "collection of the new card"),
        Transition("lost", "replace", "replaced", "collection of the new card"),
        Transition("ordered", "cancel", "cancelled", "supervisor"),
        Transition("numbered", "cancel", "cancelled", "supervisor"),
        Transition("personalised", "cancel", "cancelled", "supervisor"),
        Transition("in_stock", "cancel", "cancelled", "supervisor"),
        Transition("blocked", "cancel", "cancelled", "supervisor"),
        Transition("lost", "cancel", "cancelled", "supervisor"),
        Transition("replaced", "hand_in", "handed_in", "outlet (R3)"),
        Transition("cancelled", "hand_in", "handed_in", "outlet"),
        Transition("handed_in", "destroy", "destroyed", "card centre, two witnesses (R4)"),
    ],
)

IN_PRODUCTION = ("ordered", "numbered", "personalised", "in_stock")
"""A card that is on its way to its holder: a person has at most one."""

WITH_HOLDER = ("handed_out", "active", "temporarily_lost", "lost", "blocked")
"""The card that counts as a person's own: at most one."""

EXCHANGE = StateTable(
    "exchange",
    "applied",
    [
        Transition("applied", "pay", "applied", "outlet (R5)"),
        Transition("in_production", "pay", "in_production", "outlet (R5)"),
        Transition("ready", "pay", "ready", "outlet (R5)"),
        Transition("applied", "produce", "in_production", "card producer"),
        Transition("in_production", "make_ready", "ready", "outlet of the application (R3)"),
        Transition("ready", "collect", "collected", "outlet of the application (R3)"),
        Transition("applied", "cancel", "cancelled", "supervisor"),
        Transition("in_production", "cancel", "cancelled", "supervisor"),
        Transition("ready", "cancel", "cancelled", "supervisor"),
    ],
)
OPEN_EXCHANGE = ("applied", "in_production", "ready")

RETURN = StateTable(
    "return",
    "sent",
    [Transition("sent", "receive", "received", "card centre, counted (R4)")],
)

DESTRUCTION = StateTable(
    "destruction",
    "open",
    [
        Transition("open", "witness", "open", "two people, neither of them the creator (R4)"),
        Transition("open", "close", "closed", "card centre, when both have witnessed (R4)"),
        Transition("open", "give_up", "given_up", "card centre"),
    ],
)
