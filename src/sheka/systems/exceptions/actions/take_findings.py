"""Turn what the switch told and what expired into cases, each row once (S10)."""

from __future__ import annotations

from collections.abc import Sequence

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.actions.open_cases import Abnormal, make_cases
from sheka.systems.exceptions.models import ExceptionCase, Finding, Watermark
from sheka.systems.exceptions.sources import SWITCH, of_row
from sheka.systems.transactions.queries_of_abnormal import AbnormalRow, fresh_abnormal


def take_abnormal(limit: int = 1000) -> int:
    """Open cases for the next abnormal rows of the switch and move the watermark, in one transaction with them; the
    number of rows taken. Call it with the whole node in scope and a transaction open: two workers wait for each other.
    """
    mark, _made = Watermark.objects.get_or_create(source=SWITCH)
    mark = Watermark.objects.select_for_update().get(pk=SWITCH)
    rows = fresh_abnormal(written=mark.written, number=mark.number, highest=mark.highest, limit=limit)
    by_place: dict[str, list[AbnormalRow]] = {}
    for row in rows:
        by_place.setdefault(row.organisation, []).append(row)
    for code, found in sorted(by_place.items()):
        take_findings(Actor.process("exceptions", code), items=[of_row(row) for row in found])
    if rows:
        last = rows[-1]
        mark.written, mark.number = last.written, last.number
        mark.highest = max(mark.highest, *(row.number for row in rows))
        mark.save()
    return len(rows)


@action(Permission.EXCEPTION_HANDLE)
def take_findings(actor: Actor, *, items: Sequence[Abnormal]) -> list[ExceptionCase]:
    """Cases for rows of other systems; a row that led to a case already is left out."""
    place = organisation(actor.organisation)
    wanted: dict[tuple[str, int], Abnormal] = {item.found[:2]: item for item in items if item.found is not None}
    known = Finding.objects.filter(
        source__in={source for source, _number in wanted}, number__in={number for _source, number in wanted}
    )
    for key in known.values_list("source", "number"):
        wanted.pop(key, None)
    made = make_cases(actor, place, list(wanted.values()))
    record(actor, "exception.found", f"exceptions:{place.code}", rows=len(wanted), cases=len(made))
    return made
