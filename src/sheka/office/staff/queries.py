"""Reading staff and what they may do today."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import Grant, StaffMember
from sheka.office.staff.permissions import everybody, matrix


def roles_of(staff: StaffMember) -> list[str]:
    """The roles that count today, in order of their names."""
    today = timezone.localdate()
    return sorted({grant.role for grant in staff.grants.filter(Grant.on(today))})


def actor_of(staff: StaffMember, session: str = "") -> Actor:
    """What this person may do now, in this session. Raises Refused(STAFF_INACTIVE) for one who has left."""
    if not staff.is_active:
        raise Refused(Code.STAFF_INACTIVE, name=staff.name)
    granted = everybody().union(*(matrix().get(role, frozenset()) for role in roles_of(staff)))
    return Actor(staff.pk, staff.name, staff.organisation_id, staff.organisation.path, granted, session)


def actor_named(login: str) -> Actor:
    """The actor with this log-in name. Raises Refused(STAFF_UNKNOWN)."""
    try:
        return actor_of(StaffMember.objects.select_related("organisation").get(login=login))
    except StaffMember.DoesNotExist:
        raise Refused(Code.STAFF_UNKNOWN, name=login) from None


def person_of(staff_id: int) -> str:
    """Which person an account belongs to: two accounts of one person are one decider."""
    return StaffMember.objects.values_list("person_id", flat=True).get(pk=staff_id)
