"""Destruction of carriers: a list, two witnesses who did not make it, a record that never changes (K6, K8)."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from sheka.foundation.canonical import digest as digest_of
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.documents.models import Document
from sheka.office.documents.papers.making import make_paper
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import use_confirmation
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.report_lost import tell_others
from sheka.systems.custody.drawer import destroy_virtual
from sheka.systems.custody.labels import KINDS, METHODS
from sheka.systems.custody.ledger import (
    custody_number,
    lock_carriers,
    moment,
    move,
    must_be_free,
    must_say,
    person_in,
)
from sheka.systems.custody.models import (
    Carrier,
    CarrierDestruction,
    CarrierDestructionItem,
    CarrierDestructionWitness,
)
from sheka.systems.custody.policy import rules
from sheka.systems.custody.queries.destructions import destruction_facts, locked_destruction
from sheka.systems.custody.states import CARRIER, DESTRUCTION
from sheka.systems.custody.waiting import checked, destruction_listed, destruction_over, destruction_witnessed


@action(Permission.CARRIER_KEEP)
def list_destruction(actor: Actor, *, serials: Sequence[str], method: str, reason: str) -> CarrierDestruction:
    """Carriers of the store that are to be destroyed. The digest of the list is what the witnesses confirm.

    Raises Refused: CARRIER_UNKNOWN, CARRIER_NOT_IN_HAND (handed out, or listed already), COUNT_RUNNING, CUSTODY_ENTRY,
    STATE_FORBIDS.
    """
    if actor.staff_id is None:
        raise Refused(Code.CONFIRMATION_NEEDED)
    if method not in rules().methods:
        why = Term("不在规定的销毁方式中", "none of the methods of the policy")
        raise Refused(Code.CUSTODY_ENTRY, field=Term("销毁方式", "Method"), why=why)
    said = must_say(Term("原因", "Reason"), reason)
    if not 0 < len(serials) <= rules().most_at_once:
        why = Term(f"一次 1 至 {rules().most_at_once} 件", f"from 1 to {rules().most_at_once} at once")
        raise Refused(Code.CUSTODY_ENTRY, field=Term("载体", "Carriers"), why=why)
    found = lock_carriers(actor, serials)
    for carrier in found:
        CARRIER.after(carrier.state, "destroy")
        must_be_free(carrier)
        if carrier.destructions.filter(given_up=False).exists():
            where = Term("已列入销毁清单", "it is on a list of destruction")
            raise Refused(Code.CARRIER_NOT_IN_HAND, serial=carrier.serial, where=where)
    number = custody_number("XH", organisation(actor.organisation))
    made = CarrierDestruction.objects.create(
        number=number,
        organisation_id=actor.organisation,
        method=method,
        reason=said,
        creator_id=actor.staff_id,
        creator_person=person_in(number, actor.staff_id),
        created_at=timezone.now(),
        list_digest=list_digest(number, method, found),
    )
    CarrierDestructionItem.objects.bulk_create(
        CarrierDestructionItem(destruction=made, carrier=carrier) for carrier in found
    )
    destruction_listed(actor, made, len(found))
    listed = [carrier.serial for carrier in found]
    record(actor, "carrier.destruction_listed", made.subject, carriers=listed, method=method, digest=made.list_digest)
    return made


@action(Permission.CARRIER_WITNESS)
def witness_carrier_destruction(actor: Actor, *, number: str, digest: str) -> CarrierDestructionWitness:
    """Present, for exactly this list. Two accounts of one person are one witness; whoever made the list is none.

    Raises Refused: CUSTODY_UNKNOWN, CUSTODY_SAME_PERSON, CUSTODY_STALE, CONFIRMATION_NEEDED, STATE_FORBIDS.
    """
    row = locked_destruction(actor, number)
    DESTRUCTION.after(row.state, "witness")
    if actor.staff_id is None:
        raise Refused(Code.CONFIRMATION_NEEDED)
    person = person_in(number, actor.staff_id)
    if person == row.creator_person or row.witnesses.filter(person=person).exists():
        why = Term("清单制作人和两名见证人须是三个不同的人", "the one who listed and both witnesses are three people")
        raise Refused(Code.CUSTODY_SAME_PERSON, why=why)
    if not digest == row.list_digest == list_digest(number, row.method, _carriers(row)):
        raise Refused(Code.CUSTODY_STALE, number=number)
    use_confirmation(actor, digest)
    made = CarrierDestructionWitness.objects.create(
        destruction=row, staff_id=actor.staff_id, person=person, name=actor.name, list_digest=digest, at=timezone.now()
    )
    if row.witnesses.count() >= rules().witnesses:
        destruction_witnessed(actor, row)
    record(actor, "carrier.destruction_witnessed", row.subject, digest=digest)
    return made


@action(Permission.CARRIER_KEEP)
def close_carrier_destruction(actor: Actor, *, number: str) -> CarrierDestruction:
    """They are destroyed: a record that nobody changes any more; whoever had them in its register learns of it.

    A virtual carrier of this node is overwritten when the record stands. Raises Refused: CUSTODY_UNKNOWN,
    CARRIER_WITNESS, CUSTODY_STALE, STATE_FORBIDS.
    """
    row = locked_destruction(actor, number)
    state = DESTRUCTION.after(row.state, "close")
    witnesses = list(row.witnesses.all())
    if len(witnesses) < rules().witnesses:
        raise Refused(Code.CARRIER_WITNESS, number=number, got=len(witnesses), needed=rules().witnesses)
    found = lock_carriers(actor, [carrier.serial for carrier in _carriers(row)])
    if list_digest(number, row.method, found) != row.list_digest:
        raise Refused(Code.CUSTODY_STALE, number=number)
    names = [witness.name for witness in witnesses]
    for carrier in found:
        carrier.place, carrier.keeper, carrier.keeper_name = None, None, ""
        checked(actor, carrier)
    move(actor, found, "destroy", "destroyed", number=number, witnesses=", ".join(names))
    for carrier in found:
        tell_others(actor, carrier, "destroyed", {"number": number, "witnesses": ", ".join(names)})
    row.state, row.closed_by, row.closed_at = state, actor.name, timezone.now()
    row.record_digest = digest_of(destruction_facts(row))
    row.save()
    destruction_over(actor, row)
    serials = [carrier.serial for carrier in found]
    record(actor, "carrier.destroyed", row.subject, carriers=serials, witnesses=names, digest=row.record_digest)
    transaction.on_commit(lambda: destroy_virtual(serials))
    return row


@action(Permission.CARRIER_KEEP)
def give_up_carrier_destruction(actor: Actor, *, number: str) -> CarrierDestruction:
    """The list was wrong: its carriers are free for another one. Raises Refused: CUSTODY_UNKNOWN, STATE_FORBIDS."""
    row = locked_destruction(actor, number)
    state = DESTRUCTION.after(row.state, "give_up")
    row.items.update(given_up=True)
    row.state, row.closed_by, row.closed_at = state, actor.name, timezone.now()
    row.save()
    destruction_over(actor, row)
    record(actor, "carrier.destruction_given_up", row.subject)
    return row


@action(Permission.CARRIER_KEEP)
def issue_destruction_minutes(actor: Actor, *, number: str) -> Document:
    """The minutes as a paper, to be signed and filed. Raises Refused: CUSTODY_UNKNOWN, STATE_FORBIDS, and what making a
    paper refuses.
    """
    row = locked_destruction(actor, number)
    if row.state != "closed":
        raise Refused(Code.STATE_FORBIDS, state=row.state, verb="print", allowed="closed")
    method = METHODS.get(row.method, Term(row.method, row.method))
    facts = {
        "method": [method.zh, method.en],
        "reason": row.reason,
        "creator": row.creator.name,
        "created_at": moment(row.created_at),
        "closed_by": row.closed_by,
        "closed_at": moment(row.closed_at or row.created_at),
        "carriers": [[serial, KINDS[kind].zh, batch] for serial, kind, batch in destruction_facts(row)["carriers"]],
        "witnesses": [[witness.name, moment(witness.at)] for witness in row.witnesses.all()],
        "list_digest": row.list_digest,
        "record_digest": row.record_digest,
    }
    return make_paper(actor, template="carrier_destruction", subject=row.subject, facts=facts)


def list_digest(number: str, method: str, carriers: Sequence[Carrier]) -> str:
    """What a witness confirms: the list, each carrier with what is on it, and how they are destroyed."""
    listed = sorted(([row.serial, row.kind, row.content] for row in carriers), key=lambda row: str(row[0]))
    return digest_of({"number": number, "method": method, "carriers": listed})


def _carriers(row: CarrierDestruction) -> list[Carrier]:
    return [item.carrier for item in row.items.select_related("carrier")]
