"""What other organisations tell of carriers: given, certified, received, refused, called back, lost, destroyed (K5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.complete_hand_over import release, stop_disputed
from sheka.systems.custody.ledger import MINISTRY, lock_carriers, move, named, tell
from sheka.systems.custody.models import Carrier, HandOver
from sheka.systems.custody.queries.hand_overs import locked_hand_over
from sheka.systems.custody.states import CARRIER, HAND_OVER
from sheka.systems.custody.waiting import hand_over_ended, hand_over_given

NAMED = ("number", "recipient", "purpose", "reason", "items", "bag", "courier", "digest", "giver_name", "giver_person")
LATER = {"lost": "report_lost", "destroyed": "note_destroyed"}


@action(Permission.CARRIER_TAKE)
def take_given(actor: Actor, *, sender: str, told: dict[str, Any]) -> HandOver:
    """Carriers are on their way to here: a copy of the hand-over, a row of each, and the ministry is asked about them.

    A row that says that the carrier is here, lost or destroyed stays as it is: such a hand-over cannot be completed.
    """
    times = {name: datetime.fromisoformat(told[name]) for name in ("begun_at", "given_at", "expires_at")}
    row = HandOver.objects.create(
        organisation_id=actor.organisation,
        sender=sender,
        state="given",
        receiver=told["receiver"],
        **{name: told[name] for name in NAMED},
        **times,
    )
    for item in row.items:
        _expect(actor, row, item)
    if actor.organisation == MINISTRY:
        known = Carrier.objects.filter(organisation_id=MINISTRY, serial__in=row.serials, certified=True)
        row.certified = known.count() == len(row.items)
        row.save(update_fields=["certified"])
    elif sender == MINISTRY:
        certify(actor, row, row.serials)
    else:
        send(actor.organisation, MINISTRY, "custody.certify", {"number": row.number, "serials": row.serials})
    hand_over_given(actor, row)
    record(actor, "carrier.announced", row.subject, sender=sender, carriers=row.serials, bag=row.bag)
    return row


def _expect(actor: Actor, row: HandOver, item: dict[str, Any]) -> None:
    now = timezone.now()
    found, made = Carrier.objects.select_for_update().get_or_create(
        serial=item["serial"],
        organisation_id=actor.organisation,
        defaults={
            "kind": item["kind"],
            "batch": item["batch"],
            "content": item["content"],
            "state": "in_transit",
            "at": actor.organisation,
            "issued_at": item["issued_at"],
            "since": now,
            "hand_over": row.number,
        },
    )
    if not made and found.state == "away":
        found.content, found.at, found.hand_over = item["content"], actor.organisation, row.number
        move(actor, [found], "announce", "announced", sender=named(row.sender), number=row.number)
    elif made:
        tell(actor, [found], "announced", sender=named(row.sender), number=row.number)


@action(Permission.CARRIER_ISSUE)
def answer_certify(actor: Actor, *, asker: str, number: str, serials: list[str]) -> None:
    """The ministry says which of these serials it issued, and which of those it has not heard are lost or destroyed."""
    rows = Carrier.objects.filter(organisation_id=actor.organisation, serial__in=serials, certified=True)
    issued = sorted(rows.exclude(state__in=("lost", "destroyed", "frozen")).values_list("serial", flat=True))
    send(actor.organisation, asker, "custody.certified", {"number": number, "issued": issued})
    record(actor, "carrier.certified", f"hand_over:{number}", asker=asker, issued=issued, asked=len(serials))


@action(Permission.CARRIER_TAKE)
def take_certified(actor: Actor, *, number: str, issued: list[str]) -> None:
    """The ministry's answer about a hand-over that waits here."""
    row = locked_hand_over(actor, number)
    if row.state == "given":
        certify(actor, row, issued)
    record(actor, "carrier.certified", row.subject, issued=issued, asked=len(row.items))


def certify(actor: Actor, row: HandOver, issued: list[str]) -> None:
    """Mark what the ministry issued; the hand-over can be completed when that is all of it."""
    row.certified = set(row.serials) <= set(issued)
    row.save(update_fields=["certified"])
    carriers = [
        carrier for carrier in lock_carriers(actor, row.serials) if carrier.serial in issued and not carrier.certified
    ]
    for carrier in carriers:
        carrier.certified = True
        carrier.save(update_fields=["certified"])
    tell(actor, carriers, "certified")


@action(Permission.CARRIER_TAKE)
def take_completed(actor: Actor, *, sender: str, number: str, by: str) -> None:
    """Both halves are there: the carriers are at the receiver's now."""
    row = locked_hand_over(actor, number)
    row.state, row.ended_at, row.receiver_name = HAND_OVER.after(row.state, "complete"), timezone.now(), by
    row.save()
    carriers = lock_carriers(actor, row.serials)
    for carrier in carriers:
        carrier.hand_over, carrier.at = "", sender
        carrier.save(update_fields=["hand_over", "at"])
    going = [carrier for carrier in carriers if carrier.state == "in_transit"]
    move(actor, going, "leave", "arrived", place=named(sender), number=number, receiver=by)
    hand_over_ended(actor, row)
    record(actor, "carrier.arrived", row.subject, carriers=row.serials, at=sender, receiver=by)


@action(Permission.CARRIER_TAKE)
def take_disputed(actor: Actor, *, number: str, by: str, reason: str) -> None:
    """The receiver did not take it: here too nobody works with these carriers."""
    row = locked_hand_over(actor, number)
    row.state, row.ended_at = HAND_OVER.after(row.state, "dispute"), timezone.now()
    row.receiver_name, row.note = by, reason
    row.save()
    stop_disputed(actor, row, lock_carriers(actor, row.serials), reason)
    hand_over_ended(actor, row)
    record(actor, "carrier.hand_over_disputed", row.subject, carriers=row.serials, reason=reason)


@action(Permission.CARRIER_TAKE)
def take_recall(actor: Actor, *, sender: str, number: str) -> None:
    """The sender calls it back: granted as long as it waits here."""
    row = locked_hand_over(actor, number)
    if row.state == "given":
        row.state, row.ended_at = HAND_OVER.after(row.state, "cancel"), timezone.now()
        row.save()
        carriers = lock_carriers(actor, row.serials)
        for carrier in carriers:
            carrier.hand_over, carrier.at = "", sender
            carrier.save(update_fields=["hand_over", "at"])
        coming = [carrier for carrier in carriers if carrier.state == "in_transit"]
        move(actor, coming, "leave", "came_back", number=number)
        hand_over_ended(actor, row)
        send(actor.organisation, sender, "custody.recall_granted", {"number": number})
    record(actor, "carrier.recall_asked", row.subject, granted=row.state == "cancelled")


@action(Permission.CARRIER_TAKE)
def take_recall_granted(actor: Actor, *, number: str) -> None:
    """It is ours again."""
    row = locked_hand_over(actor, number)
    row.state, row.ended_at = HAND_OVER.after(row.state, "cancel"), timezone.now()
    row.save()
    release(actor, row)
    hand_over_ended(actor, row)
    record(actor, "carrier.hand_over_cancelled", row.subject, reason=row.note, state=row.state)


@action(Permission.CARRIER_TAKE)
def take_moved(actor: Actor, *, recipient: str, sender: str, serials: list[str], number: str) -> None:
    """The ministry learns where a carrier went, after it left the one to whom it had been issued."""
    rows = Carrier.objects.filter(organisation_id=actor.organisation, serial__in=serials)
    carriers = lock_carriers(actor, rows.values_list("serial", flat=True))
    for carrier in carriers:
        carrier.at = recipient
        carrier.save(update_fields=["at"])
    tell(actor, carriers, "moved", sender=named(sender), place=named(recipient), number=number)
    record(actor, "carrier.moved", f"hand_over:{number}", carriers=[row.serial for row in carriers], at=recipient)


@action(Permission.CARRIER_TAKE)
def take_end(actor: Actor, *, teller: str, event: str, serial: str, facts: dict[str, Any]) -> None:
    """A carrier that went through here was lost or destroyed elsewhere; it counts here as well, on its way or not."""
    rows = Carrier.objects.filter(organisation_id=actor.organisation, serial=serial)
    carriers = lock_carriers(actor, rows.values_list("serial", flat=True))
    for carrier in carriers:
        if LATER[event] in CARRIER.verbs(carrier.state):
            carrier.state_before, carrier.hand_over = carrier.state, ""
            move(actor, [carrier], LATER[event], event, **facts)
        else:
            tell(actor, [carrier], event, **facts)
    record(actor, f"carrier.{event}", f"carrier:{serial}", teller=teller, registered=bool(carriers), **facts)
