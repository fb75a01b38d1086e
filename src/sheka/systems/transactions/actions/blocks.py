"""The block list (S4, K8, K9): placed by one person, lifted by another, in force at the switch within five seconds.

A block goes down the tree by message: every bureau below keeps its own copy, which only the one that placed it lifts.
"""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.messages.outbox import send
from sheka.office.organisations.queries import BUREAUS, children_of, organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import use_confirmation
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import person_of
from sheka.systems.transactions.block_subjects import subject_of
from sheka.systems.transactions.models import Block, BlockKind

PLACED, LIFTED = "transactions.block.placed", "transactions.block.lifted"


@action(Permission.BLOCK_PLACE)
def block(actor: Actor, *, kind: str, subject: str, reason: str, incident: str = "") -> Block:
    """Bar a PSAM, terminal, card, range of cards ("first-last") or key version ("name/version") at every switch from
    here down.

    Raises Refused: BLOCK_SUBJECT_INVALID, BLOCK_REASON_MISSING, BLOCK_STANDS, ORGANISATION_OUT_OF_REACH.
    """
    return _place(actor, BlockKind(kind), subject_of(actor, kind, subject), reason, incident, "")


@action(Permission.BLOCK_LIFT)
def unblock(actor: Actor, *, number: int, reason: str) -> Block:
    """Lift a block: somebody other than who placed it, present, and not one that an incident froze.

    Raises Refused: BLOCK_UNKNOWN, BLOCK_LIFTED_BY_PLACER, BLOCK_OF_SUPERIOR, BLOCK_OF_INCIDENT, BLOCK_REASON_MISSING,
    CONFIRMATION_NEEDED.
    """
    found = _standing(number)
    actor.must_act_for(found.organisation_id)
    if found.source:
        raise Refused(Code.BLOCK_OF_SUPERIOR, organisation=organisation(found.source).name)
    if found.incident:
        raise Refused(Code.BLOCK_OF_INCIDENT, incident=found.incident)
    if actor.staff_id is not None:
        if person_of(actor.staff_id) == found.person_id:
            raise Refused(Code.BLOCK_LIFTED_BY_PLACER)
        use_confirmation(actor, lift_digest(found))
    return _lift(actor, found, reason)


@action(Permission.BLOCK_PLACE)
def freeze_subject(actor: Actor, *, kind: str, subject: str, incident: str, reason: str) -> Block:
    """What an incident bars. A second freeze of the same subject by the same incident is the first one."""
    wanted = subject_of(actor, kind, subject)
    known = _open_blocks(actor).filter(kind=kind, subject=wanted, incident=incident, source="").first()
    if known is not None:
        record(actor, "block.found", f"block:{known.pk}", incident=incident)
        return known
    return _place(actor, BlockKind(kind), wanted, reason, incident, "")


@action(Permission.BLOCK_LIFT)
def thaw_subject(actor: Actor, *, kind: str, subject: str, incident: str, reason: str) -> int:
    """The incident is over for this subject: its blocks are lifted; the number of them."""
    rows = list(
        _open_blocks(actor).select_for_update().filter(kind=kind, subject=subject, incident=incident, source="")
    )
    for row in rows:
        _lift(actor, row, reason)
    if not rows:
        record(actor, "block.found", f"{kind}:{subject}", incident=incident, lifted=0)
    return len(rows)


@action(Permission.BLOCK_PLACE)
def take_block(actor: Actor, *, sender: str, kind: str, subject: str, reason: str, incident: str) -> Block:
    """A superior's block arrived: kept here and passed on. One that stands already is left as it is."""
    known = _open_blocks(actor).filter(kind=kind, subject=subject, source=sender, incident=incident).first()
    if known is not None:
        record(actor, "block.found", f"block:{known.pk}", sender=sender)
        return known
    return _place(actor, BlockKind(kind), subject, reason, incident, sender)


@action(Permission.BLOCK_LIFT)
def take_lift(actor: Actor, *, sender: str, kind: str, subject: str, reason: str, incident: str) -> int:
    """A superior lifted its block: the copies of it here are lifted and the news is passed on."""
    rows = list(
        _open_blocks(actor).select_for_update().filter(kind=kind, subject=subject, source=sender, incident=incident)
    )
    for row in rows:
        _lift(actor, row, reason)
    if not rows:
        record(actor, "block.found", f"{kind}:{subject}", sender=sender, lifted=0)
    return len(rows)


def lift_digest(found: Block) -> str:
    """What whoever lifts a block confirms: this entry and no other."""
    return digest({"lift": found.pk, "kind": found.kind, "subject": found.subject, "since": found.since.isoformat()})


def _place(actor: Actor, kind: BlockKind, subject: str, reason: str, incident: str, source: str) -> Block:
    reason = _given(reason)
    if _open_blocks(actor).filter(kind=kind, subject=subject, incident=incident, source=source).exists():
        raise Refused(Code.BLOCK_STANDS, subject=subject)
    made = Block.objects.create(
        organisation_id=actor.organisation,
        kind=kind,
        subject=subject,
        since=timezone.now(),
        by=actor.name,
        person_id=person_of(actor.staff_id) if actor.staff_id is not None else "",
        reason=reason,
        incident=incident,
        source=source,
    )
    _pass_on(actor, PLACED, made, reason)
    record(actor, "block.placed", f"block:{made.pk}", kind=kind.value, what=subject, reason=reason, incident=incident)
    return made


def _lift(actor: Actor, found: Block, reason: str) -> Block:
    found.lifted_at, found.lifted_by, found.lift_reason = timezone.now(), actor.name, _given(reason)
    found.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    _pass_on(actor, LIFTED, found, found.lift_reason)
    record(actor, "block.lifted", f"block:{found.pk}", kind=found.kind, what=found.subject, reason=found.lift_reason)
    return found


def _pass_on(actor: Actor, kind: str, found: Block, reason: str) -> None:
    payload = {"kind": found.kind, "subject": found.subject, "reason": reason, "incident": found.incident}
    for place in children_of(actor, found.organisation_id).filter(kind__in=BUREAUS):
        send(found.organisation_id, place.code, kind, payload)


def _open_blocks(actor: Actor):  # type: ignore[no-untyped-def]
    return Block.objects.filter(organisation_id=actor.organisation, lifted_at=None)


def _standing(number: int) -> Block:
    found = Block.objects.select_for_update().filter(pk=number, lifted_at=None).first()
    if found is None:
        raise Refused(Code.BLOCK_UNKNOWN, number=number)
    return found


def _given(reason: str) -> str:
    """Raises Refused(BLOCK_REASON_MISSING)."""
    if not reason.strip():
        raise Refused(Code.BLOCK_REASON_MISSING)
    return reason.strip()[:300]
