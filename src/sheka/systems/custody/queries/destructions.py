"""Destructions of carriers, and whether a closed one is still what was closed (K6, K8)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.systems.custody.models import CarrierDestruction
from sheka.systems.custody.queries.carriers import may_see

WHAT = Term("销毁清单", "destruction")


def destructions(actor: Actor) -> QuerySet[CarrierDestruction]:
    """The destructions of the actor's organisation, the newest first."""
    may_see(actor)
    return CarrierDestruction.objects.filter(organisation_id=actor.organisation).select_related("creator")


def destruction(actor: Actor, number: str) -> CarrierDestruction:
    """Raises Refused: PERMISSION_MISSING, CUSTODY_UNKNOWN."""
    return _found(destructions(actor).filter(number=number).first(), number)


def locked_destruction(actor: Actor, number: str) -> CarrierDestruction:
    """The same, locked for an action. Raises Refused(CUSTODY_UNKNOWN)."""
    rows = CarrierDestruction.objects.select_for_update(of=("self",)).select_related("creator")
    return _found(rows.filter(organisation_id=actor.organisation, number=number).first(), number)


def destruction_facts(row: CarrierDestruction) -> dict[str, Any]:
    """The record as plain data; its digest stays with the row."""
    items = row.items.select_related("carrier").order_by("carrier__serial")
    return {
        "number": row.number,
        "organisation": row.organisation_id,
        "method": row.method,
        "creator": row.creator_person,
        "created_at": row.created_at,
        "carriers": [[item.carrier.serial, item.carrier.kind, item.carrier.batch] for item in items],
        "witnesses": [[witness.person, witness.name, witness.at] for witness in row.witnesses.all()],
        "closed_by": row.closed_by,
        "closed_at": row.closed_at,
    }


def destruction_holds(row: CarrierDestruction) -> bool:
    """Whether a closed record is what it was when it was closed (its digest taken again)."""
    return digest(destruction_facts(row)) == row.record_digest


def _found(row: CarrierDestruction | None, number: str) -> CarrierDestruction:
    if row is None:
        raise Refused(Code.CUSTODY_UNKNOWN, what=WHAT, number=number)
    return row
