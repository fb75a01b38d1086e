"""Bring in people from a file: good rows kept, every other row reported by line and reason (S3)."""

from __future__ import annotations

from typing import Any, BinaryIO

from django.db import connection
from django.utils import timezone

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.search import keep_names
from sheka.systems.cards.models import ImportBatch, ImportLine, Person
from sheka.systems.cards.people_file import Row, decode, read_bounded, rows_of
from sheka.systems.cards.person_data import FIELDS, PersonData
from sheka.systems.cards.policy import CARDS, in_force
from sheka.systems.cards.queries.find import PERSON
from sheka.systems.cards.scope import city_of

_IMPORT_LOCK = 0x50_45_4F_50  # one import at a time: two files with the same person
_CHUNK = 5000


@action(Permission.PERSON_IMPORT)
def import_people(
    actor: Actor, *, file: bytes | BinaryIO, file_name: str = "", organisation_code: str | None = None
) -> ImportBatch:
    """Take a CSV file (UTF-8 or GB18030) of people of one city; one audit row for the file.

    A person who is registered already is never changed here. Raises Refused for the file as a whole:
    PERSON_FILE_TOO_LARGE, PERSON_FILE_ENCODING, PERSON_FILE_HEADER, PERSON_FILE_EMPTY, PERSON_FILE_ROWS.
    """
    place = city_of(organisation(organisation_code or actor.organisation))
    actor.must_act_for(place)
    today = timezone.localdate()
    bounds = in_force(CARDS, "people_file", today)
    data = read_bounded(file, bounds["max_bytes"])
    decoded = decode(data)
    rows = list(rows_of(decoded.text, on=today, limit=bounds["max_rows"]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_IMPORT_LOCK])
    kept, reports = _sort(rows, place)
    batch = ImportBatch.objects.create(
        organisation=place,
        file_name=file_name[:200],
        file_digest=sm3(data).hex(),
        encoding=decoded.encoding,
        rows=len(rows),
        added=len(kept),
        already_there=sum(1 for line in reports if line.outcome == "already_there"),
        refused=sum(1 for line in reports if line.outcome == "refused"),
        by=actor.name,
        at=timezone.now(),
    )
    _keep(kept, place)
    for line in reports:
        line.batch = batch
    ImportLine.objects.bulk_create(reports, batch_size=_CHUNK)
    record(
        actor,
        "person.imported",
        f"import:{batch.pk}",
        file_digest=batch.file_digest,
        rows=batch.rows,
        added=batch.added,
        already_there=batch.already_there,
        refused=batch.refused,
    )
    return batch


def line_refusal(line: ImportLine) -> Refused:
    """The reason of a reported line, ready to be read in either language."""
    return Refused(Code(line.code), **{name: _shown(value) for name, value in line.facts.items()})


def _sort(rows: list[Row], place: Organisation) -> tuple[list[PersonData], list[ImportLine]]:
    """The people to add, and the lines to report."""
    known = _known([row.data.social_security_number for row in rows if row.data])
    first_line: dict[str, int] = {}
    kept: list[PersonData] = []
    reports: list[ImportLine] = []
    for row in rows:
        if row.data is None:
            reports.append(_report(row.line, "refused", row.refusal))
            continue
        number = row.data.social_security_number
        first = first_line.setdefault(number, row.line)
        if first != row.line:
            reports.append(_report(row.line, "refused", Refused(Code.PERSON_TWICE_IN_FILE, first=first)))
        elif number in known:
            reports.append(_compared(row, row.data, known[number], place))
        else:
            kept.append(row.data)
            doubts = (Refused(doubt.code, **doubt.facts) for doubt in row.data.doubts)
            reports += [_report(row.line, "doubt", doubt) for doubt in doubts]
    return kept, reports


def _compared(row: Row, data: PersonData, person: Person, place: Organisation) -> ImportLine:
    if person.organisation_id != place.code:
        return _report(row.line, "refused", Refused(Code.PERSON_ELSEWHERE))
    said = {name: value for name, value in data.fields().items() if value != ""}
    other = [name for name, value in said.items() if getattr(person, name) != value]
    if other:
        return _report(row.line, "refused", Refused(Code.PERSON_DIFFERS, fields=", ".join(other)))
    return _report(row.line, "already_there", Refused(Code.PERSON_ALREADY_THERE))


def _known(numbers: list[str]) -> dict[str, Person]:
    """The people of the node who have these numbers, also those of other cities: a person is registered once."""
    found: dict[str, Person] = {}
    for at in range(0, len(numbers), _CHUNK):
        people = Person.objects.filter(social_security_number__in=numbers[at : at + _CHUNK])
        with whole_node("a person is registered once on the node: the file is compared with every city's people"):
            found |= {person.social_security_number: person for person in people}
    return found


def _keep(kept: list[PersonData], place: Organisation) -> None:
    now = timezone.now()
    people = [
        Person(organisation=place, registered_at=now, **{name: getattr(data, name) for name in FIELDS}) for data in kept
    ]
    made = Person.objects.bulk_create(people, batch_size=_CHUNK)
    keep_names(PERSON, ((person.pk, place.code, person.name) for person in made))


def _report(line: int, outcome: str, refusal: Refused | None) -> ImportLine:
    if refusal is None:
        raise ValueError("a reported line has a reason")
    facts: dict[str, Any] = {
        name: {"zh": value.zh, "en": value.en} if isinstance(value, Term) else str(value)
        for name, value in refusal.facts.items()
    }
    return ImportLine(line=line, outcome=outcome, code=refusal.number, facts=facts)


def _shown(value: Any) -> object:
    return Term(value["zh"], value["en"]) if isinstance(value, dict) else value
