"""The PIN that is checked over the line (S4): set at a counter, on the PIN pad of a registered terminal."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.pin_block import account_digits
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.queries import card_named
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.actions.keep_line import ALGORITHMS, line_root
from sheka.systems.transactions.line_models import CardPin, LinePurpose, WorkingKey
from sheka.systems.transactions.models import Terminal


@action(Permission.CARD_PIN)
def set_card_pin(actor: Actor, *, card_number: str, terminal: str, block: bytes) -> CardPin:
    """Keep what the machine makes of the PIN in `block`; wrong tries before are forgotten.

    `block`: the PIN block under the PIN key that the terminal (the counter's PIN pad) was given out: 8 bytes 3DES, 16
    bytes SM4. The PIN is in clear in the pad and inside the machine, nowhere else. The chip's own PIN is another one:
    the card verifies it by itself.
    Raises Refused: CARD_UNKNOWN, CARD_NOT_YET_ACTIVE, TERMINAL_UNKNOWN, TERMINAL_NOT_ACTIVE (a pad that was suspended
    or locked is not believed), PIN_BLOCK_INVALID, the machine's.
    """
    card = card_named(actor, card_number)
    if card.state != "active" or card.number is None:
        raise Refused(Code.CARD_NOT_YET_ACTIVE)
    number = card.number
    pad = Terminal.objects.select_related("institution").filter(number=terminal).first()
    if pad is None:
        raise Refused(Code.TERMINAL_UNKNOWN, terminal=terminal)
    institution = pad.institution
    if pad.state != "active":
        raise Refused(Code.TERMINAL_NOT_ACTIVE)
    city = card.organisation_id
    algorithm = ALGORITHMS[institution.profile]
    keys = WorkingKey.objects.filter(institution=institution, purpose=LinePurpose.PIN)
    key = keys.filter(terminal=pad).first() or keys.filter(terminal=None).first()
    if key is None or institution.organisation_id != city:
        raise Refused(Code.PIN_BLOCK_INVALID)
    pins = line_root(city, LinePurpose.PIN, algorithm)
    values = line_root(city, LinePurpose.PIN_VALUE, Algorithm.SM4)
    (value,) = machine_of(city).pin_values(
        pins.reference,
        [bytes.fromhex(key.factor)],
        [block],
        [account_digits(number)],
        values.reference,
        [number[:8].encode()],
    )
    if not value:
        raise Refused(Code.PIN_BLOCK_INVALID)
    row, _ = CardPin.objects.update_or_create(
        card_number=number,
        defaults={
            "organisation_id": city,
            "root": values,
            "value": value.hex().upper(),
            "tries": 0,
            "blocked_at": None,
            "set_at": timezone.now(),
            "by": actor.name,
        },
    )
    record(actor, "card.online_pin_set", f"card:{number}", terminal=terminal)
    return row
