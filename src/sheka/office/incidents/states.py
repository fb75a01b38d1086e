"""The states of an incident, and of what it stops and sets going (K9)."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition
from sheka.foundation.terms import Term

INCIDENT = StateTable(
    "incident",
    "new",
    [
        Transition("new", "take", "new", "handler: the first who takes it, or the next one"),
        Transition("contained", "take", "contained", "handler: the next one"),
        Transition("cause_found", "take", "cause_found", "handler: the next one"),
        Transition("new", "contain", "contained", "handler: nothing affected is left running"),
        Transition("contained", "find_cause", "cause_found", "handler: with the cause"),
        Transition("cause_found", "handle", "handled", "handler: with the measures, every freeze decided"),
        Transition("handled", "close", "closed", "closer: a person who neither reported nor handled it"),
        Transition("handled", "send_back", "cause_found", "closer: with what is missing"),
        Transition("new", "doubt", "new", "handler: calls it a false alarm, with the reason"),
        Transition("contained", "doubt", "contained", "handler: calls it a false alarm, with the reason"),
        Transition("cause_found", "doubt", "cause_found", "handler: calls it a false alarm, with the reason"),
        Transition("new", "uphold", "new", "closer: it is no false alarm"),
        Transition("contained", "uphold", "contained", "closer: it is no false alarm"),
        Transition("cause_found", "uphold", "cause_found", "closer: it is no false alarm"),
        Transition("new", "dismiss", "false_alarm", "closer: agrees that it was a false alarm"),
        Transition("contained", "dismiss", "false_alarm", "closer: agrees that it was a false alarm"),
        Transition("cause_found", "dismiss", "false_alarm", "closer: agrees that it was a false alarm"),
        Transition("closed", "reopen", "new", "closer, or a superior that demands more"),
        Transition("false_alarm", "reopen", "new", "closer, or a superior that demands more"),
    ],
)
RUNNING = ("new", "contained", "cause_found", "handled")
ENDED = ("closed", "false_alarm")

AFFECTED = StateTable(
    "affected thing",
    "listed",
    [
        Transition("listed", "freeze", "frozen", "the plan on submission, or the handler later"),
        Transition("listed", "fail", "failed", "the system that refused; the clock tries again"),
        Transition("failed", "freeze", "frozen", "the clock, or the handler"),
        Transition("failed", "fail", "failed", "the system that refused again"),
        Transition("frozen", "thaw", "thawed", "closer: a second person lets it go"),
        Transition("frozen", "replace", "replaced", "handler"),
        Transition("frozen", "destroy", "destroyed", "handler"),
        Transition("failed", "replace", "replaced", "handler"),
        Transition("failed", "destroy", "destroyed", "handler"),
        Transition("failed", "waive", "waived", "closer: nothing is there that could be frozen"),
        Transition("thawed", "freeze", "frozen", "handler, where the incident is opened again"),
        Transition("thawed", "fail", "failed", "the system that refused"),
    ],
)
UNDECIDED = ("frozen", "failed")
"""States in which an incident cannot be handled."""

STATE_WORDS = {
    "new": Term("新报告", "new"),
    "contained": Term("已控制", "contained"),
    "cause_found": Term("已查明原因", "cause found"),
    "handled": Term("已处置", "handled"),
    "closed": Term("已结案", "closed"),
    "false_alarm": Term("误报", "false alarm"),
}
AFFECTED_WORDS = {
    "listed": Term("已登记，未冻结", "listed, not frozen"),
    "frozen": Term("已冻结", "frozen"),
    "failed": Term("冻结失败", "freezing failed"),
    "thawed": Term("已解冻", "released"),
    "replaced": Term("已更换", "replaced"),
    "destroyed": Term("已销毁", "destroyed"),
    "waived": Term("不再冻结", "freezing waived"),
}
