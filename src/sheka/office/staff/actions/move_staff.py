"""People come and go: transfer to another organisation, leave, return, a new name."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actions.appoint_staff import checked_name
from sheka.office.staff.actions.grant_role import end_grants
from sheka.office.staff.actions.others import checked_reason, hold_other
from sheka.office.staff.actors import Actor
from sheka.office.staff.factors import drop_all_devices
from sheka.office.staff.models import RecoveryCode, SecurityKey, StaffMember
from sheka.office.staff.passwords import remember_password
from sheka.office.staff.permissions import Permission
from sheka.office.staff.sessions import end_sessions
from sheka.office.work.actions.give_back_work import give_back_all_of
from sheka.office.work.models import SearchTerm
from sheka.office.work.search import keep_name


@action(Permission.STAFF_MANAGE)
def transfer_staff(actor: Actor, *, staff: StaffMember, organisation_code: str, reason: str) -> StaffMember:
    """Move the person; both offices are the actor's. Grants end, sessions end, open work goes back to its pool.

    Raises Refused: ORGANISATION_OUT_OF_REACH, STAFF_INACTIVE, STAFF_OWN_ACCOUNT, STAFF_SAME_ORGANISATION, STAFF_REASON.
    """
    staff = hold_other(actor, staff)
    place, before = organisation(organisation_code), staff.organisation_id
    actor.must_act_for(place)
    place.must_be_in_force(timezone.localdate())
    if not staff.is_active:
        raise Refused(Code.STAFF_INACTIVE, name=staff.name)
    if place.code == before:
        raise Refused(Code.STAFF_SAME_ORGANISATION, name=staff.name, organisation=place.name)
    why = checked_reason(reason)
    facts = _empty_hands(actor, staff, why, "transferred")
    staff.organisation = place
    staff.save(update_fields=["organisation"])
    for held in (SecurityKey, RecoveryCode):
        held.objects.filter(staff=staff).update(organisation=place)
    SearchTerm.objects.filter(kind="staff", key=str(staff.pk)).delete()
    keep_name("staff", staff.pk, place.code, staff.name)
    record(actor, "staff.transferred", f"staff:{staff.login}", before=before, after=place.code, reason=why, **facts)
    return staff


@action(Permission.STAFF_MANAGE)
def leave_staff(actor: Actor, *, staff: StaffMember, reason: str) -> StaffMember:
    """Close the account at once: grants ended, sessions killed, devices and codes void. The record stays whole.

    Raises Refused: ORGANISATION_OUT_OF_REACH, STAFF_INACTIVE, STAFF_OWN_ACCOUNT, STAFF_REASON.
    """
    staff = hold_other(actor, staff)
    if not staff.is_active:
        raise Refused(Code.STAFF_INACTIVE, name=staff.name)
    why = checked_reason(reason)
    facts = _empty_hands(actor, staff, why, "left")
    facts["devices"] = drop_all_devices(staff)
    staff.enrolment_codes.filter(used_at=None).update(expires_at=timezone.now())
    if staff.has_usable_password():
        remember_password(staff)
    staff.set_unusable_password()
    staff.is_active, staff.left_on = False, timezone.localdate()
    staff.save()
    record(actor, "staff.left", f"staff:{staff.login}", reason=why, **facts)
    return staff


@action(Permission.STAFF_MANAGE)
def return_staff(actor: Actor, *, staff: StaffMember, reason: str) -> StaffMember:
    """Open the account again, without role, password or device: those come anew. Raises Refused: STAFF_ACTIVE, …."""
    staff = hold_other(actor, staff)
    if staff.is_active:
        raise Refused(Code.STAFF_ACTIVE, name=staff.name)
    why = checked_reason(reason)
    staff.is_active, staff.left_on, staff.failed_sign_ins, staff.locked_until = True, None, 0, None
    staff.save()
    record(actor, "staff.returned", f"staff:{staff.login}", reason=why)
    return staff


@action(Permission.STAFF_MANAGE)
def rename_staff(actor: Actor, *, staff: StaffMember, name: str, reason: str) -> StaffMember:
    """Another name for the same person. Raises Refused: ORGANISATION_OUT_OF_REACH, STAFF_NAME, STAFF_REASON."""
    staff = hold_other(actor, staff)
    before, staff.name = staff.name, checked_name(name)
    staff.save(update_fields=["name"])
    keep_name("staff", staff.pk, staff.organisation_id, staff.name)
    why = checked_reason(reason)
    record(actor, "staff.renamed", f"staff:{staff.login}", before=before, after=staff.name, reason=why)
    return staff


def _empty_hands(actor: Actor, staff: StaffMember, reason: str, why: str) -> dict[str, object]:
    """End what the person held in the office; what it was, for the audit row."""
    return {
        "roles": end_grants(staff, reason),
        "sessions": end_sessions(staff, why),
        "work": give_back_all_of(actor, staff.pk),
    }
