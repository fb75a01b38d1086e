"""Change a person's data at the social security office; the change has a confirmation form with a number (R8)."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.search import keep_name
from sheka.systems.cards.ledger import lock_person
from sheka.systems.cards.models import DataChange, Person
from sheka.systems.cards.numbering import document_number
from sheka.systems.cards.person_data import FIELDS, ON_CARD, PersonData, check_person
from sheka.systems.cards.queries.find import PERSON


@action(Permission.PERSON_CHANGE)
def change_personal_data(actor: Actor, *, person: Person, changes: Mapping[str, str], evidence: str) -> DataChange:
    """Apply `changes` (field → new value as text), checked together with what stays; `evidence` names the proof.

    Raises Refused: PERSON_CHANGE_FIELD, PERSON_CHANGE_EVIDENCE, PERSON_CHANGE_NOTHING, PERSON_NUMBER_TAKEN, and
    everything that an import would refuse of a row.
    """
    row = lock_person(person.pk)
    for field in changes:
        if field not in FIELDS:
            raise Refused(Code.PERSON_CHANGE_FIELD, field=field)
    if not evidence.strip():
        raise Refused(Code.PERSON_CHANGE_EVIDENCE)
    data = check_person({**_as_text(row), **changes}, on=timezone.localdate())
    changed = _differences(row, data)
    if not changed:
        raise Refused(Code.PERSON_CHANGE_NOTHING)
    number = data.social_security_number
    if Person.objects.exclude(pk=row.pk).filter(social_security_number=number).exists():
        raise Refused(Code.PERSON_NUMBER_TAKEN)
    for field in changed:
        setattr(row, field, getattr(data, field))
    row.save(update_fields=list(changed))
    if "name" in changed:
        keep_name(PERSON, row.pk, row.organisation_id, row.name)
    change = DataChange.objects.create(
        number=document_number("B", row.organisation),
        person=row,
        organisation_id=actor.organisation,
        changes=changed,
        on_card=not ON_CARD.isdisjoint(changed),
        evidence=evidence.strip()[:200],
        by=actor.name,
        staff_id=actor.staff_id,
        at=timezone.now(),
    )
    record(
        actor, "person.changed", f"person:{row.pk}", form=change.number, fields=sorted(changed), on_card=change.on_card
    )
    return change


def _as_text(person: Person) -> dict[str, str]:
    return {
        **{field: str(getattr(person, field)) for field in FIELDS},
        "birth": person.birth.isoformat(),
    }


def _differences(person: Person, data: PersonData) -> dict[str, list[str]]:
    pairs = {field: [str(getattr(person, field)), str(getattr(data, field))] for field in FIELDS}
    return {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}
