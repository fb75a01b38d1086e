"""The receiver's half of a hand-over, and the ends that are none: refused, cancelled, lapsed (K6, K7)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import use_confirmation
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.conditions import must_be_fulfilled
from sheka.systems.custody.ledger import (
    MINISTRY,
    lock_carriers,
    move,
    must_not_be_counted,
    must_say,
    note,
    person_in,
    tell,
)
from sheka.systems.custody.models import Carrier, HandOver, Place, Purpose
from sheka.systems.custody.policy import rules
from sheka.systems.custody.queries.hand_overs import locked_hand_over, must_be_read, must_be_running
from sheka.systems.custody.queries.parties import locked_entrustment
from sheka.systems.custody.reporting import report
from sheka.systems.custody.states import ENTRUSTMENT, HAND_OVER, STOPPED
from sheka.systems.custody.waiting import entrustment_over, hand_over_ended, supervision_due, to_be_checked


@action(Permission.CARRIER_TAKE)
def complete_hand_over(
    actor: Actor, *, number: str, digest: str, bag: str = "", place_id: int | None = None
) -> HandOver:
    """The receiver, present, says: these are in my hands. Both halves are there now, and the carriers move.

    `bag`: the number read from the sealed bag, for a hand-over by courier. `place_id`: where they are put away at once.
    Raises Refused: CUSTODY_UNKNOWN, CUSTODY_SAME_PERSON, PERMISSION_MISSING (into the store only by a custodian),
    CARRIER_NOT_IN_HAND (somebody else was named), HAND_OVER_EXPIRED, HAND_OVER_SEAL, CARRIER_NOT_ISSUED,
    CARRIER_STOPPED, CUSTODY_STALE, CONFIRMATION_NEEDED, COUNT_RUNNING, STATE_FORBIDS.
    """
    row = locked_hand_over(actor, number)
    state = HAND_OVER.after(row.state, "receive")
    _must_receive(actor, row)
    must_be_read(row, digest)
    must_be_running(row)
    if row.bag and bag.strip().upper() != row.bag.upper():
        raise Refused(Code.HAND_OVER_SEAL, number=number)
    if not row.within and row.certified is not True:
        raise Refused(Code.CARRIER_NOT_ISSUED, serial=", ".join(row.serials[:3]))
    use_confirmation(actor, digest)
    carriers = lock_carriers(actor, row.serials)
    for carrier in carriers:
        if carrier.state in STOPPED:
            raise Refused(Code.CARRIER_STOPPED, serial=carrier.serial, state=Term("已停用", "stopped"))
    place = place_of(actor, place_id) if place_id else None
    must_not_be_counted(place)
    if row.purpose == Purpose.ENTRUST and row.entrustment is not None:
        must_be_fulfilled(row.entrustment, timezone.localdate())
    _end(row, state, receiver_name=actor.name)
    _take(actor, row, carriers, place)
    hand_over_ended(actor, row)
    if not row.within:
        _tell_others(actor, row)
    note(actor, "received", carriers, number=number, giver=row.giver_name, sender=row.sender, digest=digest)
    return row


@action(Permission.CARRIER_TAKE)
def dispute_hand_over(actor: Actor, *, number: str, reason: str) -> HandOver:
    """The receiver does not take it: the bag's number or its seal is wrong, or something is missing in it.

    What was to come stays where it is, stopped for everybody, and an incident is reported. Raises Refused:
    CUSTODY_UNKNOWN, CUSTODY_SAME_PERSON, CUSTODY_ENTRY, STATE_FORBIDS.
    """
    row = locked_hand_over(actor, number)
    state = HAND_OVER.after(row.state, "dispute")
    _must_receive(actor, row)
    said = must_say(Term("拒收原因", "Reason"), reason)
    _end(row, state, receiver_name=actor.name, note=said)
    carriers = lock_carriers(actor, row.serials)
    stop_disputed(actor, row, carriers, said)
    hand_over_ended(actor, row)
    if not row.within:
        send(actor.organisation, row.sender, "custody.disputed", {"number": number, "by": actor.name, "reason": said})
    bag = row.bag or "—"
    about = Term(f"拒收交接 {number}（封装袋 {bag}）。", f"The hand-over {number} (bag {bag}) was refused.")
    incident = report(actor, "other", carriers, about, said)
    record(actor, "carrier.hand_over_disputed", row.subject, carriers=row.serials, reason=said, incident=incident)
    return row


@action(Permission.CARRIER_TAKE)
def cancel_hand_over(actor: Actor, *, number: str, reason: str) -> HandOver:
    """The giver's side takes it back. From another organisation it is called back: that one may have it already.

    Raises Refused: CUSTODY_UNKNOWN, CARRIER_NOT_IN_HAND, CUSTODY_ENTRY, STATE_FORBIDS.
    """
    row = locked_hand_over(actor, number)
    said = must_say(Term("原因", "Reason"), reason)
    if row.giver_id != actor.staff_id and not actor.may(Permission.CARRIER_KEEP):
        raise Refused(Code.CARRIER_NOT_IN_HAND, serial=", ".join(row.serials[:3]), where=row.giver_name)
    _call_off(actor, row, "cancel", said)
    record(actor, "carrier.hand_over_cancelled", row.subject, reason=said, state=row.state)
    return row


@action(Permission.CARRIER_TAKE)
def expire_hand_over(actor: Actor, *, number: str) -> HandOver:
    """The clock's turn: the second of the two did not confirm in time."""
    row = locked_hand_over(actor, number)
    _call_off(actor, row, "expire", "")
    record(actor, "carrier.hand_over_expired", row.subject, state=row.state)
    return row


def place_of(actor: Actor, place_id: int) -> Place:
    """A place of the actor's organisation that is in use. Raises Refused(CUSTODY_UNKNOWN)."""
    rows = Place.objects.select_related("parent").filter(organisation_id=actor.organisation, closed_at=None)
    found = rows.filter(pk=place_id).first()
    if found is None:
        raise Refused(Code.CUSTODY_UNKNOWN, what=Term("存放处", "place"), number=place_id)
    return found


def release(actor: Actor, row: HandOver) -> None:
    """The hand-over came to nothing: its carriers are free again, and back in the store if they had left it.

    The caller is an action of its organisation and writes the audit row.
    """
    carriers = lock_carriers(actor, row.serials)
    for carrier in carriers:
        carrier.hand_over = ""
    gone = [carrier for carrier in carriers if carrier.state == "in_transit" and row.sender == actor.organisation]
    for carrier in gone:
        carrier.at, carrier.keeper_id, carrier.keeper_name = actor.organisation, row.giver_id, row.giver_name
    move(actor, gone, "receive*", "came_back", number=row.number)
    for carrier in carriers:
        carrier.save(update_fields=["hand_over"])


def stop_disputed(actor: Actor, row: HandOver, carriers: list[Carrier], reason: str) -> None:
    """Nobody works with a carrier whose way is in doubt."""
    for carrier in carriers:
        carrier.hand_over = ""
        carrier.state_before = carrier.state
    move(actor, [carrier for carrier in carriers if carrier.state not in STOPPED], "freeze", "disputed", reason=reason)


def _must_receive(actor: Actor, row: HandOver) -> None:
    if actor.staff_id is None:
        raise Refused(Code.CONFIRMATION_NEEDED)
    if row.recipient != actor.organisation:
        raise Refused(Code.CARRIER_NOT_IN_HAND, serial=", ".join(row.serials[:3]), where=_place(row.recipient))
    if row.giver_person == person_in(row.number, actor.staff_id):
        why = Term("交出人与接收人不能是同一人", "giver and receiver are one person")
        raise Refused(Code.CUSTODY_SAME_PERSON, why=why)
    login = StaffMember.objects.values_list("login", flat=True).get(pk=actor.staff_id)
    if row.receiver and row.receiver != login:
        where = Term("接收人指定为他人", "somebody else was named to receive")
        raise Refused(Code.CARRIER_NOT_IN_HAND, serial=", ".join(row.serials[:3]), where=where)
    if row.purpose not in (Purpose.USE, Purpose.ENTRUST):
        actor.require(Permission.CARRIER_KEEP)


def _take(actor: Actor, row: HandOver, carriers: list[Carrier], place: Place | None) -> None:
    stays = row.purpose in (Purpose.USE, Purpose.ENTRUST)
    for carrier in carriers:
        carrier.hand_over, carrier.at, carrier.place, carrier.seal = "", actor.organisation, place, row.bag
        carrier.keeper_id, carrier.keeper_name = (actor.staff_id, actor.name) if stays else (None, "")
        if row.purpose == Purpose.ENTRUST and row.entrustment is not None:
            carrier.at, carrier.place = row.entrustment.party_id, None
    facts: dict[str, Any] = {"giver": row.giver_name, "receiver": actor.name, "number": row.number}
    if row.purpose == Purpose.SEND:
        move(actor, carriers, "receive*", "received", sender=row.sender, bag=row.bag, **facts)
        return
    verbs = {"use": "hand_out", "keep": "put_back*", "entrust": "entrust", "return": "return"}
    events = {"use": "handed_over", "keep": "handed_over", "entrust": "entrusted", "return": "returned"}
    if row.entrustment is not None:
        party = row.entrustment.party
        facts |= {"party": [party.name, party.name_en], "supervisor": actor.name, "outsider": row.outsider}
    move(actor, carriers, verbs[row.purpose], events[row.purpose], **facts)
    if place is not None:
        tell(actor, carriers, "stored", place=str(place))
    if row.entrustment is not None:
        _keep_file(actor, row, carriers)


def _keep_file(actor: Actor, row: HandOver, carriers: list[Carrier]) -> None:
    """The third party's file: what is out, since when; what is back is looked at before it is used again."""
    file = locked_entrustment(actor, row.entrustment.number if row.entrustment else "")
    if row.purpose == Purpose.ENTRUST:
        file.state, file.out_at = ENTRUSTMENT.after(file.state, "go_out"), file.out_at or timezone.now()
        file.serials = sorted({*file.serials, *row.serials})
        file.save()
        supervision_due(actor, file, timezone.localdate() + rules().report_every)
        return
    for carrier in carriers:
        to_be_checked(actor, carrier)
    out = Carrier.objects.filter(organisation_id=actor.organisation, serial__in=file.serials, at=file.party_id)
    if not out.exists():
        file.state, file.back_at = ENTRUSTMENT.after(file.state, "come_back"), timezone.now()
        file.save()
        entrustment_over(actor, file)


def _tell_others(actor: Actor, row: HandOver) -> None:
    """The sender learns that both halves are there; the ministry, where its carriers are now."""
    send(actor.organisation, row.sender, "custody.completed", {"number": row.number, "by": actor.name})
    if MINISTRY not in (row.sender, actor.organisation):
        facts = {"serials": row.serials, "sender": row.sender, "number": row.number}
        send(actor.organisation, MINISTRY, "custody.moved", facts)


def _call_off(actor: Actor, row: HandOver, verb: str, said: str) -> None:
    ours = row.sender == actor.organisation
    if row.state == "given" and not row.within:
        if not ours:
            raise Refused(Code.CARRIER_NOT_IN_HAND, serial=", ".join(row.serials[:3]), where=_place(row.sender))
        row.state, row.note = HAND_OVER.after(row.state, "recall"), said
        row.save()
        send(actor.organisation, row.recipient, "custody.recalled", {"number": row.number})
        return
    _end(row, HAND_OVER.after(row.state, verb), note=said)
    release(actor, row)
    hand_over_ended(actor, row)


def _end(row: HandOver, state: str, **changed: str) -> None:
    row.state, row.ended_at = state, timezone.now()
    for name, value in changed.items():
        setattr(row, name, value)
    row.save()


def _place(code: str) -> Term:
    found = organisation(code)
    return Term(found.name, found.name_en)
