"""Refused attempts that matter to an auditor: recorded when the refused work has been rolled back (ASVS 16.3.2)."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from threading import Lock

from django.db import DatabaseError, transaction

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.trail import record
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor

EVENT = "access.refused"
MATTER = frozenset(
    {Code.PERMISSION_MISSING, Code.ORGANISATION_OUT_OF_REACH, Code.ROLE_INCOMPATIBLE, Code.ROLE_SELF_GRANT}
    | {Code.MACHINE_SHARE_WRONG, Code.MACHINE_SHARE_VOID}
)
APPROVALS = range(3100, 3200)
WINDOW_SECONDS = 60.0
MOST_IN_WINDOW = 10
ACTORS_KEPT = 1000
log = logging.getLogger("sheka.audit")


class RateBound:
    """At most so many rows an actor and minute, so that who is refused in a loop does not fill the chain. What was left
    out is counted in the actor's next row.
    """

    def __init__(self, most: int = MOST_IN_WINDOW, window: float = WINDOW_SECONDS) -> None:
        self._most = most
        self._window = window
        self._seen: OrderedDict[object, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def admit(self, who: object) -> int | None:
        """How many were left out before this one; None to leave this one out as well."""
        now = time.monotonic()
        with self._lock:
            began, count = self._seen.pop(who, (now, 0))
            over = now - began >= self._window
            self._seen[who] = (now, 1) if over else (began, count + 1)
            while len(self._seen) > ACTORS_KEPT:
                self._seen.popitem(last=False)
        if over:
            return max(0, count - self._most)
        return 0 if count < self._most else None


_bound = RateBound()


def matters(refusal: Refused) -> bool:
    """Whether an auditor wants to know of it: a right that was missing, a separation of duties that held,
    a wrong share for a machine's seal.
    """
    return refusal.code in MATTER or refusal.number in APPROVALS


def record_refusal(actor: Actor, refusal: Refused, where: str, *, bound: RateBound = _bound) -> bool:
    """Write down that `actor` was refused at `where` (the name of a page or operation, no address). Whether it was.

    Called when the refused transaction is over, by the frame of actions and by the middleware; the first one counts.
    A chain that cannot be written to is logged; the refusal stands.
    """
    if not matters(refusal) or getattr(refusal, "recorded", False):
        return False
    refusal.recorded = True  # type: ignore[attr-defined]
    left_out = bound.admit((actor.staff_id, actor.name, actor.organisation))
    if left_out is None:
        return False
    facts: dict[str, object] = {"number": refusal.number, "code": refusal.code.name}
    if refusal.code is Code.PERMISSION_MISSING:
        facts["permission"] = str(refusal.facts.get("permission", ""))
    if left_out:
        facts["left_out"] = left_out
    try:
        with acting_in(actor.path), transaction.atomic():
            record(actor, EVENT, where, **facts)
    except DatabaseError:
        log.exception("a refusal could not be recorded: %s", refusal.number)
        return False
    return True
