"""Import an acquirer's file of a day (S8)."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import bureau_of, organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.clearing.acquirer_file import FileLine, parse
from sheka.systems.clearing.models import AcquirerFile, Day
from sheka.systems.clearing.queries import day_of
from sheka.systems.clearing.states import DAY
from sheka.systems.clearing.waiting import day_to_reconcile
from sheka.systems.transactions.queries import institutions_of

_AT_ONCE = 20_000
_INSERT = """
INSERT INTO clearing_acquirerline (file_id, line, business_date, terminal, stan, kind, amount, card_number, rrn)
SELECT %s, * FROM
    unnest(%s::int[], %s::date[], %s::text[], %s::int[], %s::smallint[], %s::bigint[], %s::text[], %s::text[])
"""


@action(Permission.CLEARING_IMPORT)
def import_file(actor: Actor, *, data: bytes) -> AcquirerFile:
    """Read, prove and keep a file whole, or refuse it whole. The day must be sealed. A file that comes after the day
    was reconciled was not compared: the day is to be reconciled again, and nothing is netted before.

    The same file again answers the one that is there. Raises Refused: what `acquirer_file.parse` raises,
    CLEARING_DAY_UNKNOWN, INSTITUTION_UNKNOWN (a partner brings its own file only), CLEARING_FILE_TWICE when another
    file of the acquirer is there, STATE_FORBIDS for a day that is netted.
    """
    parsed = parse(data)
    keeper = bureau_of(organisation(actor.organisation)).code
    day = Day.objects.select_for_update(of=("self",)).get(pk=day_of(keeper, parsed.settlement_date).pk)
    if not institutions_of(actor).filter(code=parsed.acquirer).exists():
        raise Refused(Code.INSTITUTION_UNKNOWN, institution=parsed.acquirer)
    subject = f"day:{keeper}:{parsed.settlement_date.isoformat()}"
    known = AcquirerFile.objects.filter(day=day, acquirer=parsed.acquirer).first()
    if known is not None:
        if known.digest != parsed.digest:
            raise Refused(Code.CLEARING_FILE_TWICE, acquirer=parsed.acquirer, day=parsed.settlement_date.isoformat())
        record(actor, "clearing.file_again", subject, acquirer=parsed.acquirer, digest=parsed.digest)
        return known
    state = DAY.after(day.state, "import")
    if state != day.state:
        day.state, day.differences = state, None
        day.save(update_fields=["state", "differences"])
        day_to_reconcile(actor, day)
    file = AcquirerFile.objects.create(
        day=day,
        acquirer=parsed.acquirer,
        digest=parsed.digest,
        count=len(parsed.lines),
        purchases=parsed.purchases,
        reversals=parsed.reversals,
        imported_by=actor.name,
        imported_at=timezone.now(),
    )
    _write_lines(file.pk, parsed.lines)
    record(
        actor,
        "clearing.file_imported",
        subject,
        acquirer=parsed.acquirer,
        digest=parsed.digest,
        count=len(parsed.lines),
    )
    return file


def _write_lines(file_id: int, lines: list[FileLine]) -> None:
    """Thousands of lines a statement (COPY does not go with row-level security)."""
    with connection.cursor() as cursor:
        for at in range(0, len(lines), _AT_ONCE):
            part = lines[at : at + _AT_ONCE]
            columns = zip(
                *((o.line, o.business_date, o.terminal, o.stan, o.kind, o.amount, o.card_number, o.rrn) for o in part),
                strict=True,
            )
            cursor.execute(_INSERT, [file_id, *map(list, columns)])
