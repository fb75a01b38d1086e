"""The MAC key with which an institution's line begins (S4): given out by the bureau, under the transport key.

Until it has one an institution can prove no message, so it cannot ask for keys over the line (0800/161) either. Its
first key in the registry never leaves the bureau's machine.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.actions.keep_line import ALGORITHMS, line_root
from sheka.systems.transactions.line_models import LinePurpose, WorkingKey
from sheka.systems.transactions.models import Institution, KeysFor, Terminal

FACTOR_BYTES, WRAPPED_BYTES = 8, 16


@dataclass(frozen=True, slots=True)
class Given:
    """What the institution gets: `field_48` as an answer to 0800/161 has it, the key under the transport key (ECB) and
    its check value, in hex. Worth nothing without the transport key.
    """

    field_48: str
    check_value: str


@action(Permission.LINE_MANAGE)
def give_starting_key(actor: Actor, *, code: str, terminal: str = "") -> Given:
    """A MAC key in force from now on: for every terminal of the institution, or for the one that lost its own.
    `code`: of the institution, or of its test side, which has its transport key and algorithm.

    Raises Refused: INSTITUTION_UNKNOWN, TRANSPORT_KEY_MISSING, TERMINAL_UNKNOWN, STARTING_KEY_FOR_ONE (it would put
    the keys of the other terminals out of force), and the machine's refusals.
    """
    side = Institution.objects.select_for_update(of=("self",)).select_related("test_of").filter(code=code).first()
    if side is None:
        raise Refused(Code.INSTITUTION_UNKNOWN, institution=code)
    actor.must_act_for(side.organisation_id)
    line = side.test_of or side
    if not line.transport_key:
        raise Refused(Code.TRANSPORT_KEY_MISSING)
    root = line_root(side.organisation_id, LinePurpose.MAC, ALGORITHMS[line.profile])
    factor = secrets.token_bytes(FACTOR_BYTES)
    place = _place(side, line, terminal)
    (wrapped,) = machine_of(side.organisation_id).wrap_for_line(root.reference, [factor], line.transport_key)
    given = Given(wrapped.hex().upper(), wrapped[WRAPPED_BYTES:].hex().upper())
    WorkingKey.objects.create(
        institution=side,
        terminal=place,
        purpose=LinePurpose.MAC,
        factor=factor.hex(),
        check_value=given.check_value,
        asked=f"start:{secrets.token_hex(16)}",
        since=timezone.now(),
    )
    record(actor, "institution.starting_key", f"institution:{code}", terminal=terminal, check_value=given.check_value)
    return given


def _place(side: Institution, line: Institution, number: str) -> Terminal | None:
    if number:
        found = Terminal.objects.filter(institution=side, number=number).first()
        if found is None:
            raise Refused(Code.TERMINAL_UNKNOWN, terminal=number)
        return found
    own = WorkingKey.objects.filter(institution=side, terminal__isnull=False)
    if line.keys_for == KeysFor.TERMINAL and own.exists():
        raise Refused(Code.STARTING_KEY_FOR_ONE, institution=side.code)
    return None
