"""Finding people."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.numbers import SocialSecurityNumber
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.models import Card, Person
from sheka.systems.cards.scope import served_path
from sheka.systems.cards.states import IN_PRODUCTION, WITH_HOLDER


def people_without_card(actor: Actor) -> QuerySet[Person]:
    """Registered people whom the actor serves and who have no card and none on its way."""
    carded = Card.objects.filter(state__in=(*IN_PRODUCTION, *WITH_HOLDER)).values("person")
    served = Person.objects.filter(organisation__path__within=served_path(actor))
    return served.exclude(pk__in=carded).order_by("pk")


def person_with_number(actor: Actor, number: str) -> Person:
    """The person with this social security number; an audited read. Raises Refused: PERSON_UNKNOWN, number refusals.

    A look-up that found nobody is recorded as well, so the refusal comes after its transaction.
    """
    found = _looked_up(actor, number)
    if found is None:
        raise Refused(Code.PERSON_UNKNOWN)
    return found


@action(Permission.CARD_VIEW)
def _looked_up(actor: Actor, number: str) -> Person | None:
    parsed = SocialSecurityNumber.parse(number)
    served = Person.objects.filter(organisation__path__within=served_path(actor))
    found = served.filter(social_security_number=parsed.text).first()
    read_recorded(actor, "person.looked_up", f"person:{found.pk}" if found else "people", found=found is not None)
    return found
