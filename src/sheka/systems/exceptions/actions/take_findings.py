"""Turn what the switch told and what expired into cases, each row once (S10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.models import PendingKind
from sheka.systems.accounts.queries import expired_holds
from sheka.systems.exceptions.abnormal import Abnormal
from sheka.systems.exceptions.actions.open_cases import make_cases
from sheka.systems.exceptions.models import ExceptionCase, Finding, Watermark
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.sources import (
    BATCH,
    HOLDS,
    LINE,
    PROCESS,
    SWITCH,
    of_batch,
    of_hold,
    of_line,
    of_repeat,
    of_row,
    of_untold,
)
from sheka.systems.transactions.queries_of_abnormal import fresh_abnormal
from sheka.systems.transactions.queries_of_batches import unbalanced_batches
from sheka.systems.transactions.queries_of_unanswered import (
    EndedProcess,
    booked_untold,
    ended_processes,
    repeated,
    unanswered,
)

BACK_SECONDS = 6 * 3600
"""How far back requests without an answer are looked for: longer than the node is ever down without people knowing."""
PATIENCE_SECONDS = 10
"""How long a request may be under way before nobody having answered it means something."""
QUIET_SECONDS = 10
"""After so long without a sign of life (one a second) a switch process has ended."""
BEFORE, AFTER = timedelta(seconds=30), timedelta(seconds=5)
"""How far about the last sign of a process bookings are compared with the journal: the machine has ten seconds."""
NUMBERS_BACK = 1000
LOOKED_SECONDS = 600
"""So far back signs of life are read again in each turn, and no further."""


def take_abnormal(limit: int = 1000) -> int:
    """Open cases for the next abnormal rows of the switch and move the watermark, in one transaction with them; the
    number of rows that it moved over. Call it with the whole node in scope and a transaction open: two workers wait
    for each other.
    """
    mark = _mark(SWITCH)
    rows = fresh_abnormal(written=mark.written, number=mark.number, highest=mark.highest, limit=limit)
    _take_by_place(SWITCH, [(row.organisation, of_row(row)) for row in rows])
    final = [row for row in rows if row.final]
    if final:
        mark.written, mark.number = final[-1].written, final[-1].number
        mark.highest = max(mark.highest, *(row.number for row in final))
        mark.save()
    return len(final)


def take_expired_holds(limit: int = 1000) -> int:
    """The same for pre-authorisations that expired without a completion: they are numbered in the order of booking."""
    mark = _mark(HOLDS)
    holds = expired_holds(mark.number, limit)
    _take_by_place(HOLDS, [of_hold(hold) for hold in holds if hold.kind == PendingKind.PRE_AUTHORISATION])
    if holds:
        mark.number = holds[-1].number
        mark.save()
    return len(holds)


def take_unanswered(limit: int = 1000) -> int:
    """The same for requests whose requester has no answer, and for repeats of what had been answered; the last hours
    are looked through, a row leads to one case. The number of new rows.
    """
    _mark(LINE)
    period = {"back": BACK_SECONDS, "patience": PATIENCE_SECONDS, "limit": limit * 20}
    found = [(row.organisation, of_line(row)) for row in unanswered(**period)]
    found += [(row.organisation, of_repeat(row)) for row in repeated(**period)]
    return _take_by_place(LINE, found)


def take_untold(limit: int = 1000) -> int:
    """The same for what was booked by a switch that died before it could answer: the journal is written behind the
    answers, so the bookings about the last sign of a process are compared with it. The number of new rows.
    """
    mark = _mark(PROCESS)
    ended = ended_processes(since=mark.number, quiet=QUIET_SECONDS)
    taken = sum(_take_by_place(PROCESS, untold_of(process, limit)) for process in ended)
    looked = int(timezone.now().timestamp()) - LOOKED_SECONDS
    if ended or looked - mark.number > LOOKED_SECONDS:  # all that ended before has been looked at
        mark.number = max([mark.number, looked, *(int(one.last.timestamp()) for one in ended)])
        mark.save()
    return taken


def untold_of(process: EndedProcess, limit: int = 1000) -> list[tuple[str, Abnormal]]:
    """What a process that ended booked without an answer, with the organisation whose books it stands in."""
    begin = process.last - (BEFORE if process.exact else BEFORE + timedelta(minutes=1))
    rows = booked_untold(begin, process.last + AFTER, timezone.localdate(process.last), limit)
    return [(row.organisation, of_untold(row, process.process)) for row in rows]


def take_unbalanced(limit: int = 1000) -> int:
    """The same for settlements of terminals out of balance that neither an upload nor a settlement in balance followed
    in the time of the policy. The number of new rows.
    """
    mark = _mark(BATCH)
    patience = policy().batch_minutes * 60
    rows = unbalanced_batches(after=mark.number - NUMBERS_BACK, patience=patience, limit=limit)
    taken = _take_by_place(BATCH, [(row.organisation, of_batch(row)) for row in rows])
    if rows:
        mark.number = max(mark.number, rows[-1].number)
        mark.save()
    return taken


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


def _take_by_place(source: str, items: Sequence[tuple[str, Abnormal]]) -> int:
    """The items that led to no case yet, each organisation's by its own process; the number of them. Nothing new,
    nothing done.
    """
    by_place: dict[str, list[Abnormal]] = {}
    numbers = [item.found[1] for _code, item in items if item.found is not None]
    known = set(Finding.objects.filter(source=source, number__in=numbers).values_list("number", flat=True))
    for code, item in items:
        if item.found is not None and item.found[1] not in known:
            by_place.setdefault(code, []).append(item)
    for code, found in sorted(by_place.items()):
        take_findings(Actor.process("exceptions", code), items=found)
    return sum(map(len, by_place.values()))


def _mark(source: str) -> Watermark:
    """The watermark of a source, locked: one reader at a time."""
    Watermark.objects.get_or_create(source=source)
    return Watermark.objects.select_for_update().get(pk=source)
