"""The proof of the books as a verb (S6, C2): whoever may ask, when it was asked and what was found is audited."""

from __future__ import annotations

from collections.abc import Callable

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.proofs import Proved, proved

SUBJECT = "ledger:node"
FIRST = 10


@action(Permission.LEDGER_VERIFY)
def verify_books(actor: Actor, *, tell: Callable[[Term], None] = lambda _name: None) -> list[Proved]:
    """Take every check of the ledger, and of what higher systems prove of it; the audit row says what was found."""
    checks = list(proved(tell))
    faults = [fault for check in checks for fault in check.faults]
    record(
        actor,
        "ledger.broken" if faults else "ledger.verified",
        SUBJECT,
        checks=len(checks),
        faults=len(faults),
        first=[f"{fault.subject}: {fault.fault}" for fault in faults[:FIRST]],
        milliseconds=round(1000 * sum(check.seconds for check in checks)),
    )
    return checks


def must_hold(checks: list[Proved]) -> None:
    """Raises Refused(LEDGER_BROKEN) with the first fault."""
    faults = [fault for check in checks for fault in check.faults]
    if faults:
        raise Refused(Code.LEDGER_BROKEN, count=len(faults), subject=faults[0].subject, fault=faults[0].fault)
