"""What happens to a consignment beside export and import: announced, followed, acknowledged, lost, given back (K2)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from sheka.equipment.card_reader.reader import Reader
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.content import empty_carrier
from sheka.systems.keys.carriers import erase_card
from sheka.systems.keys.consignments import consignment_on, follow, lose, step
from sheka.systems.keys.life import lock_keys, move, must_be_ceremony
from sheka.systems.keys.models import Consignment
from sheka.systems.keys.states import ON_THE_WAY
from sheka.systems.keys.waiting import check_values_differ, consignment_announced, consignment_ended


@action(Permission.KEY_IMPORT)
def receive_announcement(actor: Actor, *, sender: str, told: dict[str, Any]) -> Consignment:
    """At the recipient: sub-keys are on their way on a carrier. Called by the message handler."""
    made = Consignment.objects.create(
        number=told["number"],
        held_by_id=actor.organisation,
        sender=sender,
        recipient=actor.organisation,
        algorithm=told["algorithm"],
        version=told["version"],
        carrier=told["carrier"],
        content=told["content"],
        state="loaded",
        loaded_at=timezone.now(),
        since=timezone.now(),
    )
    consignment_announced(actor, made)
    record(actor, "key.announced", made.subject, sender=sender, carrier=made.carrier, count=len(made.content))
    return made


@action(Permission.KEY_DISTRIBUTE)
def acknowledge_import(actor: Actor, *, recipient: str, number: str, check_values: dict[str, str]) -> Consignment:
    """At the sender: the recipient's machine found these check values. They agree, or the consignment is disputed.

    Called by the message handler. Raises Refused(KEY_CONSIGNMENT_UNKNOWN).
    """
    found = _own(actor, number)
    sent = {row["name"]: row["check_value"] for row in found.content}
    if found.recipient == recipient and check_values == sent:
        step(found, "acknowledge")
        algorithm = Algorithm(found.algorithm)
        keys = lock_keys(actor, list(sent), algorithm, found.version)
        move(actor, (key for key in keys if key.state == "generated"), "distribute", about=found.subject)
        consignment_ended(actor, found)
        record(actor, "key.acknowledged", found.subject, recipient=recipient, count=len(sent))
    else:
        step(found, "dispute", "check values differ")
        consignment_ended(actor, found)
        check_values_differ(actor, found)
        differing = sorted(name for name in sent if check_values.get(name) != sent[name])
        record(actor, "key.disputed", found.subject, recipient=recipient, keys=differing)
    return found


@action(Permission.KEY_DISTRIBUTE)
def follow_carriers(actor: Actor) -> int:
    """Bring the consignments of the actor's organisation to where custody has their carriers; how many moved."""
    rows = Consignment.objects.select_for_update().filter(held_by_id=actor.organisation, state__in=ON_THE_WAY)
    moved = []
    for found in rows.exclude(carrier="").order_by("pk"):
        verb = follow(actor, found)
        if verb == "lose":
            lose(actor, found, "carrier reported lost")
        elif verb:
            step(found, verb)
        if verb:
            moved.append(f"{found.carrier} {found.state}")
    record(actor, "key.consignments_followed", f"keys:{actor.organisation}", moved=moved)
    return len(moved)


@action(Permission.KEY_DISTRIBUTE)
def take_loss(actor: Actor, *, number: str, remark: str) -> Consignment:
    """The other side reported the carrier lost. Called by the message handler; what was imported before stays so."""
    found = _own(actor, number)
    if found.state in ON_THE_WAY:
        step(found, "lose", remark[:200])
        consignment_ended(actor, found)
    record(actor, "key.consignment_lost", found.subject, carrier=found.carrier, remark=remark)
    return found


@action(Permission.KEY_DISTRIBUTE)
def note_retirement(actor: Actor, *, recipient: str, algorithm: int, version: int) -> int:
    """A subordinate uses none of the sub-keys of this version any more. Called by the message handler."""
    rows = Consignment.objects.filter(
        held_by_id=actor.organisation, recipient=recipient, algorithm=algorithm, version=version, retired_on=None
    )
    count = rows.update(retired_on=timezone.localdate())
    name = Algorithm(algorithm).name
    record(actor, "key.retired_below", f"keys:{recipient}", algorithm=name, version=version, consignments=count)
    return count


@action(Permission.KEY_IMPORT)
def note_network_message(actor: Actor, *, sender: str, kind: str) -> None:
    """A message of the way over the network, from before carriers were used: nothing of it is taken in (ADR 19)."""
    record(actor, "key.network_refused", f"keys:{actor.organisation}", sender=sender, message=kind)


@action(Permission.KEY_CARRY_OUT)
def clear_carrier(actor: Actor, *, carrier: str, reader: Reader, pin: str) -> Consignment:
    """After the import: erase the card, so that custody can send it back empty.

    Raises Refused: KEY_NOT_IN_CEREMONY, KEY_CONSIGNMENT_UNKNOWN, STATE_FORBIDS before the import.
    """
    must_be_ceremony(actor)
    found = consignment_on(actor, carrier)
    if found.state in ON_THE_WAY:
        raise Refused(Code.STATE_FORBIDS, state=found.state, verb="clear", allowed="imported")
    erase_card(actor, reader, carrier, pin)
    empty_carrier(actor, carrier)
    record(actor, "key.carrier_cleared", found.subject, carrier=carrier)
    return found


def _own(actor: Actor, number: str) -> Consignment:
    found = Consignment.objects.select_for_update().filter(held_by_id=actor.organisation, number=number).first()
    if found is None:
        raise Refused(Code.KEY_CONSIGNMENT_UNKNOWN, carrier=number, organisation=actor.organisation)
    return found
