"""What is on a carrier: written down when it is filled or emptied, never a key (K5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sheka.foundation.canonical import plain_form
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.ledger import lock_carrier, move, must_be_free, must_be_usable, must_hold, note
from sheka.systems.custody.models import Carrier

NEEDED = frozenset(("name", "version", "algorithm", "check_value"))


@action(Permission.CARRIER_FILL)
def fill_carrier(actor: Actor, serial: str, content: Sequence[dict[str, Any]]) -> Carrier:
    """Keys were written onto the carrier: `content` is [{name, version, algorithm, check_value}].

    A person fills what he or she was handed over; a process fills for its organisation. Raises Refused:
    CARRIER_UNKNOWN, CARRIER_STOPPED, CARRIER_NOT_IN_HAND, CUSTODY_CONTENT, STATE_FORBIDS.
    """
    found = _in_reach(actor, serial)
    if found.content:
        raise Refused(Code.CUSTODY_CONTENT, serial=serial, why=Term("已有内容，请先清空", "it is not empty"))
    if not content or any(set(row) != NEEDED for row in content):
        why = Term("每个密钥须有名称、版本、算法和校验值", "every key has name, version, algorithm and check value")
        raise Refused(Code.CUSTODY_CONTENT, serial=serial, why=why)
    found.content = plain_form(list(content))
    named = _named(found.content)
    move(actor, [found], "fill", "filled", content=named)
    note(actor, "filled", [found], content=named)
    return found


@action(Permission.CARRIER_FILL)
def empty_carrier(actor: Actor, serial: str) -> Carrier:
    """Its content was erased, after an import or before another use. Raises Refused as `fill_carrier`."""
    found = _in_reach(actor, serial)
    if not found.content:
        raise Refused(Code.CUSTODY_CONTENT, serial=serial, why=Term("没有内容", "it is empty"))
    was, found.content = _named(found.content), []
    move(actor, [found], "empty", "emptied", content=was)
    note(actor, "emptied", [found], content=was)
    return found


def _in_reach(actor: Actor, serial: str) -> Carrier:
    found = lock_carrier(actor, serial)
    must_be_usable(found)
    must_hold(actor, found)
    must_be_free(found)
    return found


def _named(content: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{row['name']} v{row['version']} ({row['check_value']})" for row in content)
