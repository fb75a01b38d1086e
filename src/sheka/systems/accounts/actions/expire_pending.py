"""The clock of held money (S6): what nobody ended in time is released. The worker calls it four times a second."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.queries import something_is_due

AT_ONCE = 10_000
FIRST = 10


class _Busy(Exception):
    """Other transactions work on every account that is due: nothing was written."""


def expire_due() -> int:
    """Release what is due now, at most AT_ONCE; how much it was. What another transaction works on waits for the next
    call.
    """
    with whole_node("the clock releases what is held on accounts of every organisation of the node"):
        if not something_is_due():
            return 0
        try:
            return expire_pending(Actor.process("clock", settings.NODE.organisations[0]))
        except _Busy:
            return 0


@action(Permission.ACCOUNT_FREEZE)
def expire_pending(actor: Actor, *, limit: int = AT_ONCE) -> int:
    """Book the expiry of at most `limit` holds, the oldest first; how many. Every expiry leaves its row, in which the
    exceptions system finds it (`queries.expired_holds`).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT expired, total, pendings, oldest FROM accounts_expire(%s, %s)", [timezone.now(), limit])
        expired, total, pendings, oldest = cursor.fetchone()
    if not expired:
        raise _Busy
    record(
        actor,
        "pending.expired",
        "ledger:pending",
        count=expired,
        total=total,
        first=pendings[:FIRST],
        oldest=oldest,
    )
    return int(expired)
