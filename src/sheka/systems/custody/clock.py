"""What the clock does with custody: each thing in an action of its own organisation (K6, K7)."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

from django.db.models import F, Max
from django.utils import timezone

from sheka.foundation.refusals import Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.notices import notify
from sheka.systems.custody.actions.complete_hand_over import expire_hand_over
from sheka.systems.custody.actions.count_stock import parts_of
from sheka.systems.custody.models import Carrier, Entrustment, HandOver, Place, VendorFiling
from sheka.systems.custody.policy import rules
from sheka.systems.custody.queries.hand_overs import locked_hand_over
from sheka.systems.custody.queries.parties import locked_entrustment
from sheka.systems.custody.reporting import LOST, report
from sheka.systems.custody.states import HELD
from sheka.systems.custody.waiting import count_due, filing_ends, hand_over_late, return_overdue, supervision_due

OVERDUE, LATE = "entrustment.overdue", "hand_over.late"


def look_at_hand_overs() -> None:
    """Lapse what nobody confirmed; tell of bags that are late, and report them after the days of the policy."""
    now = timezone.now()
    late = HandOver.objects.filter(state__in=("begun", "given"), expires_at__lt=now, sender=F("organisation_id"))
    for row in late:
        actor = Actor.process("clock", row.organisation_id)
        with suppress(Refused):  # somebody confirmed it a moment ago
            if not row.courier or row.state == "begun":
                expire_hand_over(actor, number=row.number)
            elif row.overdue_at is None:
                tell_late(actor, number=row.number)
            elif not row.note and now - row.expires_at > rules().courier_incident:
                report_late(actor, number=row.number)


@action(Permission.CARRIER_KEEP)
def tell_late(actor: Actor, *, number: str) -> None:
    """A bag that should have arrived: its giver is told, and a custodian asks after it."""
    row = locked_hand_over(actor, number)
    row.overdue_at = timezone.now()
    row.save()
    hand_over_late(actor, row)
    _tell(row.giver_id, LATE, row.subject, Term(f"封装袋 {row.bag} 逾期未到", f"The bag {row.bag} has not arrived"))
    record(actor, "carrier.hand_over_late", row.subject, bag=row.bag, courier=row.courier)


@action(Permission.CARRIER_KEEP)
def report_late(actor: Actor, *, number: str) -> None:
    """It still has not: an incident, and its carriers are stopped by the plan."""
    row = locked_hand_over(actor, number)
    carriers = Carrier.objects.filter(organisation_id=actor.organisation, serial__in=row.serials)
    days = (timezone.now() - row.expires_at).days
    about = Term(
        f"封装袋 {row.bag} 由{row.courier}押运，交接 {number} 逾期 {days} 天未签收。",
        f"The bag {row.bag}, carried by {row.courier} (hand-over {number}), is {days} days late.",
    )
    row.note = report(actor, LOST, carriers, about)
    row.save()
    record(actor, "carrier.hand_over_late", row.subject, bag=row.bag, incident=row.note)


def look_at_parties() -> None:
    """What is out: reports that are due, returns that are overdue."""
    for number, place in Entrustment.objects.filter(state="out").values_list("number", "organisation_id"):
        watch_entrustment(Actor.process("clock", place), number=number)


@action(Permission.CARRIER_ENTRUST)
def watch_entrustment(actor: Actor, *, number: str) -> None:
    """The next report is asked for; on the day after the return date everybody concerned is told, later it is an
    incident: once each.
    """
    row, today, now = locked_entrustment(actor, number), timezone.localdate(), timezone.now()
    last = row.reports.order_by("-at").values_list("at", flat=True).first() or row.out_at or now
    due = timezone.localdate(last) + rules().report_every
    if due <= today + timedelta(days=1):
        supervision_due(actor, row, due)
    late = row.return_by is not None and row.return_by < today
    if late and row.overdue_at is None:
        row.overdue_at = now
        row.save()
        return_overdue(actor, row)
        said = Term(
            f"{row.party.name}应于 {row.return_by} 归还的载体未归还", f"{row.party.name_en} has not returned carriers"
        )
        for staff_id in {row.supervisor_id, row.creator_id}:
            _tell(staff_id, OVERDUE, row.subject, said)
    elif late and not row.incident and row.return_by is not None and today - row.return_by > rules().overdue_incident:
        out = Carrier.objects.filter(organisation_id=actor.organisation, serial__in=row.serials, at=row.party_id)
        days = (today - row.return_by).days
        about = Term(
            f"{row.party.name}应于 {row.return_by} 归还的密钥载体逾期 {days} 天（{number}）。",
            f"Key carriers that {row.party.name_en} had to return by {row.return_by} are {days} days late ({number}).",
        )
        row.incident = report(actor, LOST, out, about)
        row.save()
    record(actor, "entrustment.watched", row.subject, overdue=late, incident=row.incident)


def look_at_counts() -> None:
    """Every outermost place with carriers is counted as often as the policy says."""
    rule, today = rules(), timezone.localdate()
    for place in Place.objects.filter(parent=None, closed_at=None).select_related("organisation"):
        held = Carrier.objects.filter(place__in=parts_of(place), state__in=HELD)
        if not held.exists():
            continue
        last = place.counts.filter(state__in=("agreed", "differed")).aggregate(Max("closed_at"))["closed_at__max"]
        first = last or held.order_by("since").values_list("since", flat=True)[0]
        due = timezone.localdate(first) + rule.count_every
        if due - today <= rule.count_warn:
            ask_for_count(Actor.process("clock", place.organisation_id), place=place, due=due)


@action(Permission.CARRIER_KEEP)
def ask_for_count(actor: Actor, *, place: Place, due: date) -> None:
    """Put the count before the custodians."""
    count_due(actor, place, due)
    record(actor, "carrier.count_asked", f"place:{place.pk}", due=due)


def look_at_filings() -> None:
    """Suppliers whose last filing ends soon."""
    rows = VendorFiling.objects.select_related("party").order_by("organisation_id", "party_id", "-valid_to")
    for filing in rows.distinct("organisation_id", "party_id"):
        if filing.valid_to - timezone.localdate() <= rules().filing_warn:
            ask_for_filing(Actor.process("clock", filing.organisation_id), filing=filing)


@action(Permission.CARRIER_ENTRUST)
def ask_for_filing(actor: Actor, *, filing: VendorFiling) -> None:
    """Put the filing before the custodians."""
    filing_ends(actor, filing)
    record(actor, "vendor.filing_ends", f"vendor:{filing.party_id}", valid_to=filing.valid_to)


def _tell(staff_id: int | None, kind: str, subject: str, said: Term) -> None:
    if staff_id is not None:
        notify(staff_id, kind, subject, zh=said.zh, en=said.en)
