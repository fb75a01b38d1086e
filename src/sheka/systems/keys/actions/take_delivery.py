"""What arrives about sub-keys: at the recipient the envelopes, at the sender the answer. Called by message handlers."""

from __future__ import annotations

import base64
from typing import Any

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.models import Delivery
from sheka.systems.keys.states import DELIVERY
from sheka.systems.keys.waiting import subkeys_confirmed, subkeys_received


@action(Permission.KEY_IMPORT)
def receive_delivery(actor: Actor, *, sender: str, subkeys: list[dict[str, Any]]) -> None:
    """Keep the envelopes until a key officer imports them."""
    Delivery.objects.bulk_create(
        Delivery(
            **{**row, "envelope": base64.b64decode(row["envelope"])},
            held_by_id=actor.organisation,
            sender=sender,
            recipient=actor.organisation,
            state="received",
            at=timezone.now(),
        )
        for row in subkeys
    )
    subkeys_received(actor, sender)
    record(actor, "key.received", f"keys:{actor.organisation}", sender=sender, keys=[row["name"] for row in subkeys])


@action(Permission.KEY_DISTRIBUTE)
def acknowledge_delivery(actor: Actor, *, recipient: str, check_values: dict[str, str]) -> None:
    """Compare what the recipient's machine found with what was sent. Raises Refused(KEY_CHECK_VALUE)."""
    rows = Delivery.objects.select_for_update().filter(held_by_id=actor.organisation, number__in=list(check_values))
    for delivery in rows:
        found = check_values[str(delivery.number)]
        if delivery.recipient != recipient or found != delivery.check_value:
            raise Refused(Code.KEY_CHECK_VALUE, name=delivery.name, expected=delivery.check_value, got=found)
        delivery.state = DELIVERY.after(delivery.state, "acknowledge")
        delivery.save(update_fields=["state"])
    subkeys_confirmed(actor, recipient)
    record(actor, "key.acknowledged", f"keys:{recipient}", count=len(check_values))
