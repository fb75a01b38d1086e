"""Order first cards for people who have none (I6: nothing passes without a right to issue)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import age_on
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.ledger import tell
from sheka.systems.cards.models import Card, IssuingRight, Person, ProductionBatch
from sheka.systems.cards.policy import CARDS, rows_in_force
from sheka.systems.cards.queries.rights import right_to_issue
from sheka.systems.cards.scope import COUNTERS, city_of
from sheka.systems.cards.states import IN_PRODUCTION, WITH_HOLDER
from sheka.systems.cards.waiting import batch_ordered

_GOES_WITH = {
    "2.00": (Algorithm.TDES, Algorithm.SM4),
    "3.00": (Algorithm.SM4,),
}


@action(Permission.CARD_ORDER)
def order_cards(
    actor: Actor,
    *,
    people: Sequence[Person],
    outlet: str,
    layout_digest: str,
    specification: str = "3.00",
    algorithm: Algorithm = Algorithm.SM4,
) -> ProductionBatch:
    """One batch of cards, made in the approved layout, for the outlet where their holders will fetch them.

    Raises Refused: CARD_BATCH_EMPTY, CARD_TWICE_IN_BATCH, CARD_SPECIFICATION, CARD_NOT_A_COUNTER, CARD_PERSON_HAS_ONE,
    PERSON_ELSEWHERE, ISSUANCE_NO_NUMBER, ISSUANCE_LAYOUT, ISSUANCE_QUANTITY, ORGANISATION_OUT_OF_REACH.
    """
    must_go_together(specification, algorithm)
    counter = organisation(outlet)
    if counter.kind not in COUNTERS:
        raise Refused(Code.CARD_NOT_A_COUNTER, organisation=counter.name)
    city = city_of(counter)
    actor.must_act_for(city)
    holders = _lock_people(people, city)
    right = right_to_issue(city.code, more=len(holders), layout_digest=layout_digest)
    batch = make_cards(actor, holders, counter, right, specification, algorithm, "order")
    batch_ordered(actor, batch)
    record(
        actor,
        "card.ordered",
        f"batch:{batch.pk}",
        quantity=batch.quantity,
        outlet=outlet,
        right=right.number,
        specification=specification,
        algorithm=algorithm.name,
    )
    return batch


def must_go_together(specification: str, algorithm: Algorithm) -> None:
    """Raises Refused(CARD_SPECIFICATION)."""
    if algorithm not in _GOES_WITH.get(specification, ()):
        raise Refused(Code.CARD_SPECIFICATION, specification=specification, algorithm=algorithm.name)


def make_cards(
    actor: Actor,
    holders: Sequence[Person],
    outlet: Organisation,
    right: IssuingRight,
    specification: str,
    algorithm: Algorithm,
    reason: str,
) -> ProductionBatch:
    """The batch and its cards, in the running transaction; the caller has locked the people and checked the right."""
    city, today = city_of(outlet), timezone.localdate()
    batch = ProductionBatch.objects.create(
        organisation=city,
        right=right,
        outlet=outlet,
        algorithm=algorithm,
        specification=specification,
        quantity=len(holders),
        reason=reason,
        by=actor.name,
        at=timezone.now(),
    )
    cards = [
        Card(
            person=person,
            organisation=city,
            outlet=outlet,
            batch=batch,
            right=right,
            algorithm=algorithm,
            specification=specification,
            card_class=_class_of(person.birth, today),
        )
        for person in holders
    ]
    tell(actor, Card.objects.bulk_create(cards, batch_size=1000), "ordered", batch=batch.pk, reason=reason)
    return batch


def _lock_people(people: Sequence[Person], city: Organisation) -> list[Person]:
    keys = [person.pk for person in people]
    if not keys:
        raise Refused(Code.CARD_BATCH_EMPTY)
    if len(set(keys)) != len(keys):
        raise Refused(Code.CARD_TWICE_IN_BATCH)
    found = list(Person.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    if len(found) < len(keys) or any(person.organisation_id != city.code for person in found):
        raise Refused(Code.PERSON_ELSEWHERE)
    held = Card.objects.filter(person__in=found, state__in=(*IN_PRODUCTION, *WITH_HOLDER)).first()
    if held is not None:
        raise Refused(Code.CARD_PERSON_HAS_ONE, state=held.state)
    return found


def _class_of(birth: date, today: date) -> str:
    """Item 02 by age (policy: the first class whose bound lies above the age)."""
    age = age_on(birth, today)
    rows = sorted(rows_in_force(CARDS, "card_class", today), key=lambda row: row["below_age"])
    return str(next(row["class"] for row in rows if age < row["below_age"]))
