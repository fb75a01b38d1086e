"""Grant a role to a person for a time, and end a grant. To extend is to grant again, from the day the first ends."""

from __future__ import annotations

from datetime import date

from django.db.models import Q
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.scope import whole_node
from sheka.office.staff.actions.others import checked_reason
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import Grant, StaffMember
from sheka.office.staff.permissions import Permission, incompatible_pairs, matrix, role_levels
from sheka.office.staff.queries import person_of
from sheka.office.staff.rules import rules


@action(Permission.STAFF_MANAGE)
def grant_role(actor: Actor, *, staff: StaffMember, role: str, valid_from: date, valid_to: date) -> Grant:
    """The role must exist at this level and go with the roles of every account of the same person in that time.

    Raises Refused: ORGANISATION_OUT_OF_REACH, STAFF_INACTIVE, ROLE_UNKNOWN, ROLE_WRONG_LEVEL, GRANT_TERM,
    ROLE_SELF_GRANT (also to a second account of oneself), ROLE_INCOMPATIBLE.
    """
    actor.must_act_for(staff.organisation)
    if not staff.is_active:
        raise Refused(Code.STAFF_INACTIVE, name=staff.name)
    if role not in matrix():
        raise Refused(Code.ROLE_UNKNOWN, role=role)
    if staff.organisation.kind not in role_levels()[role]:
        raise Refused(Code.ROLE_WRONG_LEVEL, role=role, organisation=staff.organisation.name)
    if not valid_from < valid_to or valid_to - valid_from > rules().longest_grant:
        raise Refused(Code.GRANT_TERM, days=rules().longest_grant.days)
    if actor.staff_id is not None and person_of(actor.staff_id) == staff.person_id:
        raise Refused(Code.ROLE_SELF_GRANT, role=role)
    _must_go_together(staff, role, Q(valid_from__lt=valid_to, valid_to__gt=valid_from))
    granted = Grant.objects.create(
        staff=staff, role=role, valid_from=valid_from, valid_to=valid_to, granted_by=actor.name
    )
    record(actor, "staff.role_granted", f"staff:{staff.login}", role=role, valid_from=valid_from, valid_to=valid_to)
    return granted


@action(Permission.STAFF_MANAGE)
def end_grant(actor: Actor, *, grant: Grant, reason: str) -> Grant:
    """The role counts no longer from this moment.

    Raises Refused: ORGANISATION_OUT_OF_REACH, GRANT_ENDED, STAFF_REASON.
    """
    actor.must_act_for(grant.staff.organisation)
    grant = Grant.objects.select_for_update().select_related("staff").get(pk=grant.pk)
    if grant.valid_to <= timezone.localdate():
        raise Refused(Code.GRANT_ENDED, role=grant.role)
    _end(grant, checked_reason(reason))
    record(actor, "staff.role_ended", f"staff:{grant.staff.login}", role=grant.role, reason=grant.end_reason)
    return grant


def end_grants(staff: StaffMember, reason: str) -> list[str]:
    """End what the person holds or would hold; the roles. Called by the actions of leaving and moving."""
    held = Grant.objects.select_for_update().filter(staff=staff, valid_to__gt=timezone.localdate())
    for grant in held:
        _end(grant, reason)
    return sorted({grant.role for grant in held})


def _end(grant: Grant, reason: str) -> None:
    grant.valid_to, grant.end_reason = max(grant.valid_from, timezone.localdate()), reason
    grant.save(update_fields=["valid_to", "end_reason"])


def _must_go_together(staff: StaffMember, role: str, overlap: Q) -> None:
    """All accounts of the person are locked, so that two grants at once cannot pass each other."""
    with whole_node("the accounts of one person may stand in any organisation"):
        accounts = StaffMember.objects.select_for_update().filter(person_id=staff.person_id).order_by("pk")
        held = Grant.objects.filter(overlap, staff__in=[account.pk for account in accounts])
        for other in held.values_list("role", flat=True):
            if frozenset((role, other)) in incompatible_pairs():
                raise Refused(Code.ROLE_INCOMPATIBLE, role=role, other=other, name=staff.name)
