"""Following consignments: where their carriers are by the register of custody, and what a report of loss means (K2).

Custody knows nothing of keys, so keys ask: before an import, and by the clock.
"""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.seats import place_term
from sheka.office.messages.outbox import send
from sheka.office.staff.actors import Actor
from sheka.systems.custody.queries import carriers
from sheka.systems.keys.models import Consignment
from sheka.systems.keys.states import CONSIGNMENT, ON_THE_WAY
from sheka.systems.keys.waiting import consignment_ended

LOST = "lost"
GONE = ("lost", "destroyed")


def consignment_on(actor: Actor, carrier: str) -> Consignment:
    """What was announced to the actor's organisation on this carrier, the latest, locked.

    Raises Refused(KEY_CONSIGNMENT_UNKNOWN): nothing here is meant for this organisation.
    """
    rows = Consignment.objects.select_for_update().filter(
        held_by_id=actor.organisation, recipient=actor.organisation, carrier=carrier
    )
    found = rows.order_by("-loaded_at", "-pk").first()
    if found is None:
        raise Refused(Code.KEY_CONSIGNMENT_UNKNOWN, carrier=carrier, organisation=place_term(actor.organisation))
    return found


def step(found: Consignment, verb: str, remark: str = "") -> None:
    """`verb` on a consignment. Raises Refused(STATE_FORBIDS)."""
    found.state = CONSIGNMENT.after(found.state, verb)
    found.since, found.remark = timezone.now(), remark or found.remark
    found.save(update_fields=["state", "since", "remark"])


def follow(actor: Actor, found: Consignment) -> str:
    """The verb that brings a consignment to where its carrier is; "" when it stands there already."""
    row = carriers(actor).filter(serial=found.carrier).first()
    if row is None or found.state not in ON_THE_WAY:
        return ""
    if row.state in GONE:
        return "lose"
    if row.at == found.recipient and row.state != "in_transit":
        return "receive" if found.state != "received" else ""
    return "hand_over" if row.state in ("in_transit", "away") and found.state == "loaded" else ""


def lose(actor: Actor, found: Consignment, remark: str) -> None:
    """The sub-keys are void: nobody imports them any more, and the other side is told."""
    step(found, "lose", remark)
    consignment_ended(actor, found)
    other = found.recipient if found.held_by_id == found.sender else found.sender
    send(actor.organisation, other, "keys.consignment.lost", {"number": str(found.number), "remark": remark})
