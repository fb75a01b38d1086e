"""Reading destruction batches (R4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.cards.models import Card, DestructionBatch, DestructionWitness


@dataclass(frozen=True, slots=True)
class DestructionRecord:
    """The record of a batch, and whether it is still what was closed (digest recomputed)."""

    state: str
    content: dict[str, Any]
    digest: str
    holds: bool


def destruction_record(actor: Actor, number: str) -> DestructionRecord:
    """Raises Refused: DESTRUCTION_UNKNOWN, ORGANISATION_OUT_OF_REACH."""
    batch = DestructionBatch.objects.select_related("organisation").filter(number=number).first()
    if batch is None:
        raise Refused(Code.DESTRUCTION_UNKNOWN, number=number)
    actor.must_act_for(batch.organisation)
    content = record_of(batch, [item.card for item in batch.items.select_related("card")], list(batch.witnesses.all()))
    return DestructionRecord(batch.state, content, batch.record_digest, digest(content) == batch.record_digest)


def record_of(
    batch: DestructionBatch, cards: Sequence[Card], witnesses: Sequence[DestructionWitness]
) -> dict[str, object]:
    """The record of a destruction as plain data; its digest stays with the batch."""
    return {
        "number": batch.number,
        "organisation": batch.organisation_id,
        "method": batch.method,
        "creator": batch.creator_person,
        "created_at": batch.created_at,
        "cards": sorted(str(card.number) for card in cards),
        "witnesses": [[witness.person_id, witness.name, witness.at] for witness in witnesses],
        "closed_by": batch.closed_by,
        "closed_at": batch.closed_at,
    }
