"""Where carriers lie: places made and closed, a carrier put into one (K6)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.complete_hand_over import place_of
from sheka.systems.custody.ledger import lock_carrier, must_be_free, must_not_be_counted, must_say, note, tell
from sheka.systems.custody.models import Carrier, Place
from sheka.systems.custody.states import HELD

PLACE = Term("存放处", "Place")


@action(Permission.CARRIER_KEEP)
def add_place(actor: Actor, *, name: str, parent_id: int | None = None) -> Place:
    """A safe, or a shelf in one. Raises Refused: CUSTODY_ENTRY, CUSTODY_UNKNOWN."""
    said = must_say(PLACE, name, 60)
    above = place_of(actor, parent_id) if parent_id else None
    rows = Place.objects.filter(organisation_id=actor.organisation, parent=above, name=said)
    if rows.exists():
        raise Refused(Code.CUSTODY_ENTRY, field=PLACE, why=Term("已有同名的存放处", "there is one of this name"))
    made = Place.objects.create(organisation_id=actor.organisation, parent=above, name=said)
    record(actor, "carrier.place_added", f"place:{made.pk}", name=str(made))
    return made


@action(Permission.CARRIER_KEEP)
def close_place(actor: Actor, *, place_id: int) -> Place:
    """Nothing may lie in it or in a part of it. Raises Refused: CUSTODY_ENTRY, CUSTODY_UNKNOWN, COUNT_RUNNING."""
    place = place_of(actor, place_id)
    must_not_be_counted(place)
    if place.carriers.exists() or place.parts.filter(closed_at=None).exists():
        raise Refused(Code.CUSTODY_ENTRY, field=PLACE, why=Term("其中还有载体或下级存放处", "it is not empty"))
    place.closed_at = timezone.now()
    place.save(update_fields=["closed_at"])
    record(actor, "carrier.place_closed", f"place:{place.pk}", name=str(place))
    return place


@action(Permission.CARRIER_KEEP)
def store_carrier(actor: Actor, serial: str, place_id: int) -> Carrier:
    """A custodian puts a carrier of the store into a place.

    Raises Refused: CARRIER_UNKNOWN, CARRIER_NOT_IN_HAND, COUNT_RUNNING, CUSTODY_UNKNOWN.
    """
    found = lock_carrier(actor, serial)
    if found.state not in HELD or found.state == "in_use":
        where = Term("不在库中", "it is not in the store")
        raise Refused(Code.CARRIER_NOT_IN_HAND, serial=serial, where=where)
    must_be_free(found)
    place = place_of(actor, place_id)
    must_not_be_counted(place)
    found.place, found.keeper, found.keeper_name = place, None, ""
    found.save(update_fields=["place", "keeper", "keeper_name"])
    tell(actor, [found], "stored", place=str(place))
    note(actor, "stored", [found], place=str(place))
    return found
