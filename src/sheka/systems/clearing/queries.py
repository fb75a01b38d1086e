"""Reading clearing days (S8)."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import bureau_of, is_partner, organisation
from sheka.office.staff.actors import Actor
from sheka.systems.clearing.acquirer_file import FileLine
from sheka.systems.clearing.models import AcquirerFile, Day, Net
from sheka.systems.clearing.totals import Adjustment, adjustments_of
from sheka.systems.transactions.queries import booked_lines


def days_of(actor: Actor) -> QuerySet[Day]:
    """The sealed days of the actor's organisation and those below it, the latest first. A row has settlement_date,
    state, count, net and result.
    """
    places = Organisation.objects.filter(path__within=actor.path).values("code")
    return Day.objects.filter(organisation_id__in=places)


def days_read_by(actor: Actor) -> QuerySet[Day]:
    """The days that a client reads: a partner those of its bureau, others those in reach."""
    place = organisation(actor.organisation)
    return Day.objects.filter(organisation=bureau_of(place)) if is_partner(place) else days_of(actor)


def day_of(organisation_code: str, settlement_date: date) -> Day:
    """One day. Raises Refused(CLEARING_DAY_UNKNOWN)."""
    try:
        return Day.objects.get(organisation_id=organisation_code, settlement_date=settlement_date)
    except Day.DoesNotExist:
        raise Refused(Code.CLEARING_DAY_UNKNOWN, day=settlement_date.isoformat()) from None


def files_of(day: Day) -> QuerySet[AcquirerFile]:
    return AcquirerFile.objects.filter(day=day).order_by("acquirer")


def nets_of(day: Day) -> QuerySet[Net]:
    """What each institution is owed."""
    return Net.objects.filter(day=day).select_related("institution").order_by("institution__code")


def adjustments_in(day: Day) -> list[Adjustment]:
    """The transfers on its institutions' accounts that stand in a day: what exception cases and corrections booked."""
    return adjustments_of(day.window, day.organisation_id)


def our_lines(day: Day, institution_code: str) -> list[FileLine]:
    """What we booked for an institution in a day, in the form of its own file: approved purchases and reversals
    that moved money.
    """
    return [FileLine(number, *row) for number, row in enumerate(booked_lines(day.window_id, institution_code), start=2)]
