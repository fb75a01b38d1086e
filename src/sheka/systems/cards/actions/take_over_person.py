"""A person moves to another city of the node: the registration goes there, cards stay with the city that issued them.

It is asked for by whoever moves what belongs to the person (accounts, S6). The former city keeps reading the person:
its cards and its books name them still. A card of the former city goes on working; when it breaks, that city cancels it
and the new one orders another.
"""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.search import move_names
from sheka.systems.cards.ledger import lock_person
from sheka.systems.cards.models import Registration
from sheka.systems.cards.queries.find import PERSON


@action(Permission.PERSON_CHANGE)
def take_over_person(actor: Actor, *, person_id: int, came_from: str, document: str) -> None:
    """Register a person of `came_from` with the actor's city from now on. Somebody who is here already stays.

    Raises Refused: ORGANISATION_OUT_OF_REACH (no such person in either city), PERSON_ELSEWHERE.
    """
    here, there = organisation(actor.organisation), organisation(came_from)
    subject = f"person:{person_id}"
    with acting_in(actor.scope, there.path):
        person = lock_person(person_id)
        if person.organisation_id == here.code:
            record(actor, "person.found_here", subject, came_from=came_from)
            return
        if person.organisation_id != came_from:
            raise Refused(Code.PERSON_ELSEWHERE)
        now = timezone.now()
        known = Registration.objects.filter(person=person, until=None)
        if not known.update(until=now):
            Registration.objects.create(
                person=person, organisation=there, since=person.registered_at, until=now, by=actor.name
            )
        Registration.objects.create(person=person, organisation=here, since=now, document=document[:80], by=actor.name)
        person.organisation = here
        person.save(update_fields=["organisation"])
        move_names(PERSON, person_id, here.code)
    record(actor, "person.moved_in", subject, came_from=came_from, document=document)
