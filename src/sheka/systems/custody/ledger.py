"""Moving carriers from state to state: lock, guard, change, chain of custody and audit in one place (K6).

Locks are taken in one order: hand-over, count or entrustment, then carriers by their serials, and last the audit chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from sheka.foundation.canonical import digest, plain_form
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import person_of
from sheka.systems.custody.labels import STATES
from sheka.systems.custody.models import Carrier, CarrierEvent, HandOver, Place
from sheka.systems.custody.states import CARRIER, COUNTING, IN_HAND, STOPPED

MINISTRY = "000000"


def lock_carriers(actor: Actor, serials: Iterable[str]) -> list[Carrier]:
    """The rows of the actor's own register, in the order of their serials. Raises Refused(CARRIER_UNKNOWN)."""
    wanted = sorted(set(serials))
    rows = Carrier.objects.select_for_update(of=("self",)).select_related("organisation", "place", "keeper")
    found = {row.serial: row for row in rows.filter(organisation_id=actor.organisation, serial__in=wanted)}
    for serial in wanted:
        if serial not in found:
            raise Refused(Code.CARRIER_UNKNOWN, serial=serial)
    return [found[serial] for serial in wanted]


def lock_carrier(actor: Actor, serial: str) -> Carrier:
    """The same for one."""
    return lock_carriers(actor, [serial])[0]


def must_be_usable(carrier: Carrier) -> None:
    """In the organisation's hands, neither lost nor frozen. Raises Refused: CARRIER_STOPPED, CARRIER_NOT_IN_HAND."""
    if carrier.state in STOPPED:
        raise Refused(Code.CARRIER_STOPPED, serial=carrier.serial, state=STATES[carrier.state])
    if carrier.state not in IN_HAND:
        raise Refused(Code.CARRIER_NOT_IN_HAND, serial=carrier.serial, where=STATES[carrier.state])


def must_hold(actor: Actor, carrier: Carrier) -> None:
    """Whoever had it handed over holds it; what lies in the store, any custodian does, and what a colleague left behind
    who serves no more. A process holds what its organisation has.

    Raises Refused: CARRIER_STOPPED, CARRIER_NOT_IN_HAND.
    """
    if carrier.state != "entrusted":
        must_be_usable(carrier)
    if not actor.is_person or carrier.keeper_id == actor.staff_id:
        return
    left_behind = carrier.keeper is None or not carrier.keeper.is_active
    if not (left_behind and actor.may(Permission.CARRIER_KEEP)):
        name = carrier.keeper_name
        where = Term(f"由{name}持有", f"{name} has it") if name else Term("在库中，由保管员保管", "it is in the store")
        raise Refused(Code.CARRIER_NOT_IN_HAND, serial=carrier.serial, where=where)


def must_be_free(carrier: Carrier) -> None:
    """In no hand-over that is under way, and in no place that is being counted.

    Raises Refused: CARRIER_NOT_IN_HAND, COUNT_RUNNING.
    """
    if carrier.hand_over:
        where = Term(f"正在办理交接 {carrier.hand_over}", f"in the hand-over {carrier.hand_over}")
        raise Refused(Code.CARRIER_NOT_IN_HAND, serial=carrier.serial, where=where)
    must_not_be_counted(carrier.place)


def must_not_be_counted(place: Place | None) -> None:
    """Neither it nor what it is part of is being counted. Raises Refused(COUNT_RUNNING)."""
    while place is not None:
        running = place.counts.filter(state__in=COUNTING).first()
        if running is not None:
            raise Refused(Code.COUNT_RUNNING, place=place.name, number=running.number)
        place = place.parent


def stored(carrier: Carrier, verb: str) -> str:
    """The verb by which it comes into the store, as it has content or not."""
    return f"{verb}_loaded" if carrier.content else verb


def move(actor: Actor, carriers: Sequence[Carrier], verb: str, event: str, **facts: object) -> None:
    """Bring locked carriers to the state after `verb`, save everything else that was set on them, tell their chain.

    `verb` with a trailing "*" is told apart by content (`stored`). The caller writes the audit row. Raises
    Refused(STATE_FORBIDS).
    """
    for carrier in carriers:
        named = stored(carrier, verb[:-1]) if verb.endswith("*") else verb
        carrier.state = CARRIER.after(carrier.state, named)
        carrier.since = timezone.now()
        carrier.version += 1
        carrier.save()
    tell(actor, carriers, event, **facts)


def tell(actor: Actor, carriers: Iterable[Carrier], event: str, **facts: object) -> None:
    """Write a link into the chain of custody of each."""
    now = timezone.now()
    plain: Any = plain_form(facts)
    CarrierEvent.objects.bulk_create(
        CarrierEvent(carrier=carrier, at=now, event=event, facts=plain, by=actor.name) for carrier in carriers
    )


def note(actor: Actor, verb: str, carriers: Sequence[Carrier], **facts: object) -> None:
    """The audit row: about the one carrier, or naming all of them."""
    if len(carriers) == 1:
        record(actor, f"carrier.{verb}", carriers[0].subject, state=carriers[0].state, **facts)
    else:
        record(actor, f"carrier.{verb}", "carriers", carriers=[carrier.serial for carrier in carriers], **facts)


def custody_number(prefix: str, place: Organisation) -> str:
    """A number for a paper of custody, never given twice: prefix, region, year, sequence."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('custody_number')")
        sequence = cursor.fetchone()[0]
    return f"{prefix}{place.region}-{timezone.localdate():%y}-{sequence:05d}"


def person_in(number: str, staff_id: int) -> str:
    """A pseudonym of a person within one hand-over, count or destruction: two accounts of one person are one."""
    return digest({"number": number, "person": person_of(staff_id)})


def hand_over_digest(row: HandOver) -> str:
    """What giver and receiver both agree to: from whom to whom, what for, which serials, under which seal."""
    return digest(
        {
            "number": row.number,
            "sender": row.sender,
            "recipient": row.recipient,
            "purpose": row.purpose,
            "reason": row.reason,
            "serials": sorted(row.serials),
            "bag": row.bag,
            "courier": row.courier,
            "giver": row.giver_name,
            "receiver": row.receiver,
            "outsider": row.outsider,
        }
    )


def named(code: str) -> list[str]:
    """An organisation for a link of the chain, in Chinese and in English; its code where this node has none of it."""
    found = Organisation.objects.filter(code=code).first()
    return [found.name, found.name_en] if found else [code, code]


def moment(at: datetime) -> str:
    """A time for a sentence."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def must_say(field: Term, text: str, longest: int = 200) -> str:
    """The text without blanks around it. Raises Refused(CUSTODY_ENTRY) for nothing said, or too much."""
    clean = " ".join(text.split())
    if len(clean) < 2:
        raise Refused(Code.CUSTODY_ENTRY, field=field, why=Term("至少填写两个字", "say at least two letters"))
    if len(clean) > longest:
        raise Refused(Code.CUSTODY_ENTRY, field=field, why=Term(f"最多 {longest} 个字", f"at most {longest} letters"))
    return clean
