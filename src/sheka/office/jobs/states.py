"""The states of a run of a job."""

from __future__ import annotations

from sheka.foundation.states import StateTable, Transition

WORKER, STARTER, MANAGER = "worker", "who started it", "job.manage"
RUN = StateTable(
    "job run",
    "queued",
    [
        Transition("queued", "claim", "running", WORKER),
        Transition("waiting", "claim", "running", WORKER),
        Transition("running", "finish", "done", WORKER),
        Transition("running", "refuse", "refused", WORKER),
        Transition("running", "put_off", "waiting", WORKER),
        Transition("running", "put_back", "queued", WORKER),
        Transition("running", "give_up", "dead", WORKER),
        Transition("running", "stop", "cancelled", WORKER),
        Transition("queued", "cancel", "cancelled", STARTER),
        Transition("waiting", "cancel", "cancelled", STARTER),
        Transition("running", "cancel", "running", STARTER),
        Transition("dead", "run_again", "queued", MANAGER),
        Transition("refused", "run_again", "queued", STARTER),
        Transition("cancelled", "run_again", "queued", STARTER),
    ],
)
ALIVE = ("queued", "waiting", "running")
"""The states of a run that is not over."""
