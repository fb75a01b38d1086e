"""The frame of every action: permission, one transaction, and no action without audit (design §2.1, §2.4)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.db import transaction

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.trail import witnessed
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

P = ParamSpec("P")
R = TypeVar("R")


def action(
    permission: Permission,
) -> Callable[[Callable[Concatenate[Actor, P], R]], Callable[Concatenate[Actor, P], R]]:
    """Wrap a verb: the actor holds `permission`, the body runs in one transaction and writes at least one audit row.

    Raises Refused(PERMISSION_MISSING) before anything is done, Refused(ACTION_WITHOUT_AUDIT) after rolling back.
    """

    def wrap(verb: Callable[Concatenate[Actor, P], R]) -> Callable[Concatenate[Actor, P], R]:
        @wraps(verb)
        def run(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            actor.require(permission)
            with transaction.atomic(), witnessed() as seen:
                answer = verb(actor, *args, **kwargs)
                if not seen():
                    raise Refused(Code.ACTION_WITHOUT_AUDIT, action=verb.__name__)
                return answer

        run.permission = permission  # type: ignore[attr-defined]
        return run

    return wrap
