"""Grant a role to a person, for a time."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import Grant, StaffMember
from sheka.office.staff.permissions import Permission, incompatible_pairs, matrix, role_levels


@action(Permission.STAFF_MANAGE)
def grant_role(actor: Actor, *, staff: StaffMember, role: str, valid_from: date, valid_to: date) -> Grant:
    """The role must exist at this level and go with the roles of every account of the same person.

    Raises Refused: ROLE_UNKNOWN, ROLE_WRONG_LEVEL, ROLE_INCOMPATIBLE, ROLE_SELF_GRANT.
    """
    actor.must_act_for(staff.organisation)
    if role not in matrix():
        raise Refused(Code.ROLE_UNKNOWN, role=role)
    if staff.organisation.kind not in role_levels()[role]:
        raise Refused(Code.ROLE_WRONG_LEVEL, role=role, organisation=staff.organisation.name)
    if actor.staff_id == staff.pk:
        raise Refused(Code.ROLE_SELF_GRANT, role=role)
    overlap = Q(valid_from__lt=valid_to, valid_to__gt=valid_from)
    held = Grant.objects.select_for_update().filter(overlap, staff__person_id=staff.person_id)
    for other in held.values_list("role", flat=True):
        if frozenset((role, other)) in incompatible_pairs():
            raise Refused(Code.ROLE_INCOMPATIBLE, role=role, other=other, name=staff.name)
    granted = Grant.objects.create(
        staff=staff, role=role, valid_from=valid_from, valid_to=valid_to, granted_by=actor.name
    )
    record(actor, "staff.role_granted", f"staff:{staff.login}", role=role, valid_from=valid_from, valid_to=valid_to)
    return granted
