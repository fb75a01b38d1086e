"""Whose cards an actor serves: all below its organisation, and from a counter every card of its city (design §2.6).

A card belongs to the city that issued it; its holder may come to any outlet of that city (R1). So an outlet and a card
centre reach up to their city for its cards, and so do a district office and the program of a partner that may ask about
a card (a bank that takes loss reports); nothing beside or above it.
"""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Kind, Organisation
from sheka.office.organisations.queries import BUREAUS, COUNTERS, organisation
from sheka.office.staff.actors import Actor


def served_path(actor: Actor) -> str:
    """The part of the tree whose cards this actor serves, as an ltree path."""
    place = organisation(actor.organisation)
    return place.path if place.kind in BUREAUS else city_of(place).path


def city_of(place: Organisation) -> Organisation:
    """The city of a counter, or the place itself when it is a city. Raises Refused(CARD_NO_CITY)."""
    found: Organisation | None = place
    while found is not None and found.kind != Kind.CITY:
        found = found.parent
    if found is None:
        raise Refused(Code.CARD_NO_CITY, organisation=place.name)
    return found


def must_serve(actor: Actor, city: Organisation) -> None:
    """Raises Refused(ORGANISATION_OUT_OF_REACH) when cards of `city` are not the actor's to serve."""
    reach = served_path(actor)
    if city.path != reach and not city.path.startswith(reach + "."):
        raise Refused(Code.ORGANISATION_OUT_OF_REACH, organisation=city.name)


def counter(actor: Actor, code: str | None = None) -> Organisation:
    """The counter at which the actor works, or the one named below it.

    Raises Refused: CARD_NOT_A_COUNTER, ORGANISATION_OUT_OF_REACH.
    """
    place = organisation(code or actor.organisation)
    actor.must_act_for(place)
    if place.kind not in COUNTERS:
        raise Refused(Code.CARD_NOT_A_COUNTER, organisation=place.name)
    return place
