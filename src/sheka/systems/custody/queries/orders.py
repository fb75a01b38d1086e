"""Orders of carriers: one's own, and at the ministry everybody's (K5)."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.systems.custody.models import CarrierOrder
from sheka.systems.custody.queries.carriers import may_see


def orders(actor: Actor) -> QuerySet[CarrierOrder]:
    """The orders in the books of the actor's organisation, the newest first."""
    may_see(actor)
    return CarrierOrder.objects.filter(organisation_id=actor.organisation)


def order(actor: Actor, number: str) -> CarrierOrder:
    """Raises Refused: PERMISSION_MISSING, CUSTODY_UNKNOWN."""
    found = orders(actor).filter(number=number).first()
    if found is None:
        raise Refused(Code.CUSTODY_UNKNOWN, what=Term("申领单", "order"), number=number)
    return found
