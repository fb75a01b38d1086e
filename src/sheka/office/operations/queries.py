"""Reading holiday notices, and what a reader may do about one."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.operations.models import HolidayNotice
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import person_of


def notices_of(year: int) -> QuerySet[HolidayNotice]:
    """The notices of a year that were imported here, the newest first. They are public documents."""
    return HolidayNotice.objects.filter(year=year)


def verbs_for(actor: Actor, row: HolidayNotice) -> tuple[list[str], Refused | None]:
    """The verbs that this actor may use on the notice; for one that waits, why there are none or fewer."""
    if row.state != "proposed" or actor.staff_id is None or not actor.may(Permission.CALENDAR_MANAGE):
        return [], None
    if person_of(actor.staff_id) == row.proposed_person:
        return ["withdraw"], Refused(Code.CALENDAR_OWN)
    return ["publish", "reject"], None
