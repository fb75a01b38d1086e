"""Begin a two-person hand-over, and the giver's half of it (K6, K7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from sheka.foundation.canonical import plain_form
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.organisations.queries import BUREAUS, organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import use_confirmation
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.ledger import (
    custody_number,
    hand_over_digest,
    lock_carriers,
    move,
    must_be_free,
    must_hold,
    must_say,
    note,
    person_in,
    tell,
)
from sheka.systems.custody.models import Carrier, HandOver, Purpose
from sheka.systems.custody.policy import rules
from sheka.systems.custody.queries.hand_overs import locked_hand_over, must_be_read, must_be_running
from sheka.systems.custody.states import CARRIER, HAND_OVER
from sheka.systems.custody.waiting import hand_over_begun, hand_over_given, shipped

FIRST_VERBS = {"use": "hand_out", "keep": "put_back*", "send": "send", "entrust": "entrust", "return": "return"}
"""What the hand-over of a purpose does to a carrier; its guard is asked before anything begins."""


@action(Permission.CARRIER_TAKE)
def begin_hand_over(
    actor: Actor,
    *,
    serials: Sequence[str],
    purpose: str,
    reason: str,
    to: str = "",
    receiver: str = "",
    bag: str = "",
    courier: str = "",
) -> HandOver:
    """Write down what is to go from the actor to whom; nothing moves before both have confirmed.

    `purpose`: "use" and "keep" within the organisation to the colleague with the login `receiver`; "send" to the
    organisation `to`, by a courier with a sealed bag, or without both at one desk. "entrust" and "return" go by
    `actions.entrust`. Raises Refused: CARRIER_UNKNOWN, CARRIER_STOPPED, CARRIER_NOT_IN_HAND, COUNT_RUNNING,
    CUSTODY_ENTRY, CUSTODY_SAME_PERSON, STATE_FORBIDS.
    """
    if purpose not in (Purpose.USE, Purpose.KEEP, Purpose.SEND):
        raise Refused(Code.CUSTODY_ENTRY, field=Term("目的", "Purpose"), why=Term("不能在此办理", "not from here"))
    other = to if purpose == Purpose.SEND else actor.organisation
    if purpose == Purpose.SEND:
        _must_be_another_bureau(actor, other)
        _must_be_sealed_whole(bag, courier)
    elif not receiver:
        raise Refused(Code.CUSTODY_ENTRY, field=Term("接收人", "Receiver"), why=Term("请指定", "name one"))
    row = HandOver(
        recipient=other,
        purpose=purpose,
        reason=must_say(Term("事由", "Reason"), reason),
        receiver=receiver,
        bag=bag.strip(),
        courier=courier.strip(),
    )
    return start(actor, row, serials, rules().courier if courier else rules().desk)


def start(actor: Actor, row: HandOver, serials: Sequence[str], span: timedelta) -> HandOver:
    """The row with everything that the two will confirm; its carriers are in no other hand-over from now on."""
    if actor.staff_id is None:
        raise Refused(Code.CONFIRMATION_NEEDED)
    _must_be_a_receiver(actor, row)
    if not 0 < len(serials) <= rules().most_at_once:
        why = Term(f"一次 1 至 {rules().most_at_once} 件", f"from 1 to {rules().most_at_once} at once")
        raise Refused(Code.CUSTODY_ENTRY, field=Term("载体", "Carriers"), why=why)
    found = lock_carriers(actor, serials)
    for carrier in found:
        must_hold(actor, carrier)
        must_be_free(carrier)
        verb = FIRST_VERBS[row.purpose]
        CARRIER.after(
            carrier.state, f"{verb[:-1]}_loaded" if verb.endswith("*") and carrier.content else verb.strip("*")
        )
    now = timezone.now()
    row.number = custody_number("JJ", organisation(actor.organisation))
    row.organisation_id = row.sender = actor.organisation
    row.items = plain_form([item_of(carrier) for carrier in found])
    row.giver_id, row.giver_name = actor.staff_id, actor.name
    row.giver_person = person_in(row.number, actor.staff_id)
    row.begun_at, row.expires_at = now, now + span
    row.digest = hand_over_digest(row)
    row.save()
    Carrier.objects.filter(pk__in=[carrier.pk for carrier in found]).update(hand_over=row.number)
    hand_over_begun(actor, row)
    record(
        actor,
        "carrier.hand_over_begun",
        row.subject,
        purpose=row.purpose,
        to=row.recipient,
        receiver=row.receiver,
        carriers=row.serials,
        digest=row.digest,
    )
    return row


@action(Permission.CARRIER_TAKE)
def give_hand_over(actor: Actor, *, number: str, digest: str) -> HandOver:
    """The giver, present, says: these leave my hands. To another organisation they are in transit from now on.

    Raises Refused: CUSTODY_UNKNOWN, CARRIER_NOT_IN_HAND (only who began it gives), CUSTODY_STALE, HAND_OVER_EXPIRED,
    CONFIRMATION_NEEDED, STATE_FORBIDS.
    """
    row = locked_hand_over(actor, number)
    state = HAND_OVER.after(row.state, "give")
    if row.giver_id != actor.staff_id:
        raise Refused(Code.CARRIER_NOT_IN_HAND, serial=", ".join(row.serials[:3]), where=row.giver_name)
    must_be_read(row, digest)
    must_be_running(row)
    use_confirmation(actor, digest)
    row.state, row.given_at = state, timezone.now()
    row.expires_at = row.given_at + (rules().courier if row.courier else rules().desk)
    row.save()
    carriers = lock_carriers(actor, row.serials)
    for carrier in carriers:
        must_hold(actor, carrier)
    facts = {"number": row.number, "to": row.recipient, "bag": row.bag, "courier": row.courier}
    if row.within:
        tell(actor, carriers, "given", **facts)
    else:
        for carrier in carriers:
            carrier.at, carrier.place, carrier.keeper, carrier.keeper_name = row.recipient, None, None, ""
        move(actor, carriers, "send", "given", **facts)
        shipped(actor, carriers)
        send(actor.organisation, row.recipient, "custody.given", _told(row))
    hand_over_given(actor, row)
    note(actor, "given", carriers, number=row.number, to=row.recipient, bag=row.bag, digest=digest)
    return row


def item_of(carrier: Carrier) -> dict[str, object]:
    """What goes along about a carrier."""
    return {
        "serial": carrier.serial,
        "kind": carrier.kind,
        "batch": carrier.batch,
        "content": carrier.content,
        "issued_at": carrier.issued_at,
    }


def _told(row: HandOver) -> dict[str, object]:
    named = ("number", "sender", "recipient", "purpose", "reason", "items", "bag", "courier", "digest")
    more = ("giver_name", "giver_person", "receiver")
    times = {name: getattr(row, name).isoformat() for name in ("begun_at", "given_at", "expires_at")}
    return {name: getattr(row, name) for name in (*named, *more)} | times


def _must_be_another_bureau(actor: Actor, code: str) -> None:
    """A neighbour in the tree, up or down, or the ministry. Raises Refused: ORGANISATION_UNKNOWN, CUSTODY_ENTRY."""
    place = organisation(code)
    if place.code == actor.organisation or place.kind not in (*BUREAUS, "card_centre"):
        why = Term(f"不能向“{place.name}”移交", f"not to {place.name_en}")
        raise Refused(Code.CUSTODY_ENTRY, field=Term("接收机构", "Recipient"), why=why)


def _must_be_sealed_whole(bag: str, courier: str) -> None:
    if bool(bag.strip()) != bool(courier.strip()):
        why = Term(
            "封装袋号和押运人要么都填，要么都不填（当面交接）", "both a bag and a courier, or neither at one desk"
        )
        raise Refused(Code.CUSTODY_ENTRY, field=Term("封装袋号", "Sealed bag"), why=why)


def _must_be_a_receiver(actor: Actor, row: HandOver) -> None:
    """A named receiver serves there, and is not the giver. Raises Refused: CUSTODY_SAME_PERSON, CUSTODY_ENTRY."""
    if not row.receiver:
        return
    if row.receiver == StaffMember.objects.values_list("login", flat=True).get(pk=actor.staff_id):
        raise Refused(
            Code.CUSTODY_SAME_PERSON, why=Term("交出人与接收人不能是同一人", "giver and receiver are one person")
        )
    if (
        row.recipient == actor.organisation
        and not StaffMember.objects.filter(login=row.receiver, organisation_id=row.recipient, is_active=True).exists()
    ):
        why = Term(f"本机构没有“{row.receiver}”", f"nobody here signs in as {row.receiver}")
        raise Refused(Code.CUSTODY_ENTRY, field=Term("接收人", "Receiver"), why=why)
