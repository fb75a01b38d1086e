"""The frame of every action: permission, scope, one transaction, no action without audit (design §2.1, §2.4, §2.6)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.db import connection, transaction

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.refusals import record_refusal
from sheka.office.audit.trail import witnessed
from sheka.office.organisations.queries import must_be_in_force
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

P = ParamSpec("P")
R = TypeVar("R")


def action(
    permission: Permission,
) -> Callable[[Callable[Concatenate[Actor, P], R]], Callable[Concatenate[Actor, P], R]]:
    """Wrap a verb: the actor holds `permission`, the body sees the rows of the actor's scope and no others, runs in one
    transaction and writes at least one audit row.

    Raises Refused(PERMISSION_MISSING, ORGANISATION_NOT_IN_FORCE) before anything is done, Refused(ACTION_WITHOUT_AUDIT)
    after rolling back. A refusal that matters to an auditor is recorded then (office.audit.refusals).
    """

    def wrap(verb: Callable[Concatenate[Actor, P], R]) -> Callable[Concatenate[Actor, P], R]:
        @wraps(verb)
        def run(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                actor.require(permission)
                with acting_in(actor.scope), transaction.atomic(), witnessed() as seen:
                    must_be_in_force(actor.organisation)
                    answer = verb(actor, *args, **kwargs)
                    if not seen():
                        raise Refused(Code.ACTION_WITHOUT_AUDIT, action=verb.__name__)
                    return answer
            except Refused as refusal:
                if not connection.in_atomic_block:  # else the action around this one records it
                    record_refusal(actor, refusal, f"action:{verb.__name__}")
                raise

        run.permission = permission  # type: ignore[attr-defined]
        return run

    return wrap
