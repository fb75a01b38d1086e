"""Stock count: two people, neither of whom is shown what should be there; a variance is an incident at once (K6)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.complete_hand_over import place_of
from sheka.systems.custody.ledger import custody_number, must_not_be_counted, must_say, person_in, tell
from sheka.systems.custody.models import Carrier, CountSheet, Place, StockCount
from sheka.systems.custody.queries.counts import locked_count
from sheka.systems.custody.reporting import VARIANCE, report
from sheka.systems.custody.states import COUNT, HELD
from sheka.systems.custody.waiting import count_opened, count_over


@action(Permission.CARRIER_KEEP)
def open_count(actor: Actor, *, place_id: int) -> StockCount:
    """Begin to count a place with everything in it: what the register says is frozen, and nothing moves until the end.

    Raises Refused: CUSTODY_UNKNOWN, COUNT_RUNNING, CARRIER_NOT_IN_HAND (a hand-over is under way there).
    """
    place = place_of(actor, place_id)
    parts = parts_of(place)
    for part in parts:
        must_not_be_counted(part)
    rows = Carrier.objects.select_for_update(of=("self",)).filter(place__in=parts, state__in=HELD).order_by("serial")
    expected = list(rows)
    moving = [row for row in expected if row.hand_over]
    if moving:
        where = Term(f"正在办理交接 {moving[0].hand_over}", f"in the hand-over {moving[0].hand_over}")
        raise Refused(Code.CARRIER_NOT_IN_HAND, serial=moving[0].serial, where=where)
    made = StockCount.objects.create(
        number=custody_number("PD", organisation(actor.organisation)),
        organisation_id=actor.organisation,
        place=place,
        expected=[row.serial for row in expected],
        by=actor.name,
        opened_at=timezone.now(),
    )
    count_opened(actor, made)
    record(actor, "carrier.count_opened", made.subject, place=str(place))
    return made


@action(Permission.CARRIER_COUNT)
def count_stock(actor: Actor, *, number: str, serials: Sequence[str]) -> StockCount:
    """One counter's sheet: every serial that lies there. The second sheet, by another person, ends the count.

    All three lists have to agree. Raises Refused: CUSTODY_UNKNOWN, CUSTODY_SAME_PERSON, CUSTODY_ENTRY, STATE_FORBIDS.
    """
    row = locked_count(actor, number)
    if actor.staff_id is None:
        raise Refused(Code.CONFIRMATION_NEEDED)
    seen = sorted({serial.strip().upper() for serial in serials if serial.strip()})
    if any(len(serial) > 32 for serial in seen):
        why = Term("序列号过长", "a serial is too long")
        raise Refused(Code.CUSTODY_ENTRY, field=Term("序列号", "Serials"), why=why)
    person, before = person_in(number, actor.staff_id), list(row.sheets.all())
    if any(sheet.person == person for sheet in before):
        why = Term("两名盘点人不能是同一人", "the two counters are one person")
        raise Refused(Code.CUSTODY_SAME_PERSON, why=why)
    row.state = COUNT.after(row.state, "count") if not before else row.state
    CountSheet.objects.create(
        count=row, staff_id=actor.staff_id, person=person, name=actor.name, serials=seen, at=timezone.now()
    )
    if before:
        _compare(actor, row, set(before[0].serials), set(seen))
    else:
        row.save()
        count_opened(actor, row)
        record(actor, "carrier.counted", row.subject, found=len(seen))
    return row


@action(Permission.CARRIER_KEEP)
def give_up_count(actor: Actor, *, number: str, reason: str) -> StockCount:
    """It cannot be finished; it has to be begun anew. Raises Refused: CUSTODY_UNKNOWN, CUSTODY_ENTRY, STATE_FORBIDS."""
    row = locked_count(actor, number)
    said = must_say(Term("原因", "Reason"), reason)
    row.state, row.closed_at = COUNT.after(row.state, "give_up"), timezone.now()
    row.save()
    count_over(actor, row)
    record(actor, "carrier.count_given_up", row.subject, reason=said)
    return row


def parts_of(place: Place) -> list[Place]:
    """The place and everything in it, at whatever depth."""
    found, last = [place], [place]
    while last:
        last = list(Place.objects.filter(parent__in=last).select_related("parent"))
        found += last
    return found


def _compare(actor: Actor, row: StockCount, first: set[str], second: set[str]) -> None:
    """Everything that one of the two did not find, and everything that one of them found beside the register."""
    expected = set(row.expected)
    row.missing, row.unexpected = sorted(expected - (first & second)), sorted((first | second) - expected)
    agrees = not row.missing and not row.unexpected
    row.state = COUNT.after(row.state, "agree" if agrees else "differ")
    row.closed_at = timezone.now()
    count_over(actor, row)
    rows = Carrier.objects.filter(organisation_id=actor.organisation)
    missing = list(rows.filter(serial__in=row.missing))
    tell(actor, missing, "missed", count=row.number)
    tell(actor, rows.filter(serial__in=expected - set(row.missing)), "seen", count=row.number)
    if not agrees:
        row.incident = report(actor, VARIANCE, missing, _said(row))
    row.save()
    facts = {"missing": row.missing, "unexpected": row.unexpected, "incident": row.incident}
    record(actor, "carrier.counted", row.subject, found=len(first & second), **facts)


def _said(row: StockCount) -> Term:
    missing, more = row.missing[:20], row.unexpected[:20]
    return Term(
        f"盘点 {row.number}（{row.place}）账实不符。"
        f"两人未同时见到：{'、'.join(missing) or '无'}。登记簿之外：{'、'.join(more) or '无'}。",
        f"The count {row.number} ({row.place}) differs from the register. "
        f"Not seen by both: {', '.join(missing) or 'none'}. Beside the register: {', '.join(more) or 'none'}.",
    )
