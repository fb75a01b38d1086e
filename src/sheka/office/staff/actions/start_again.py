"""What a security administrator may do to an account of others: unlock it, start it again, end a session of it."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actions.others import checked_reason, hold_other
from sheka.office.staff.actors import Actor
from sheka.office.staff.confirmations import use_confirmation
from sheka.office.staff.factors import drop_all_devices, new_code
from sheka.office.staff.models import EnrolmentCode, StaffMember, StaffSession
from sheka.office.staff.passwords import remember_password
from sheka.office.staff.permissions import Permission
from sheka.office.staff.persons import code_digest
from sheka.office.staff.rules import rules
from sheka.office.staff.sessions import end, end_sessions

Lost = EnrolmentCode.Lost


def start_digest(staff: StaffMember, lost: str) -> str:
    """What an administrator's presence is confirmed for before the code is given out."""
    return digest({"start_again": staff.pk, "lost": lost})


@action(Permission.STAFF_MANAGE)
def start_again(actor: Actor, *, staff: StaffMember, lost: str, reason: str) -> str:
    """Void what was lost and end every session; the code for the person, which is shown this once and kept nowhere.

    `lost` is one of `EnrolmentCode.Lost`. An administrator's presence is needed for `start_digest`. Raises Refused:
    ORGANISATION_OUT_OF_REACH, STAFF_OWN_ACCOUNT, STAFF_INACTIVE, STAFF_REASON, CONFIRMATION_NEEDED.
    """
    if actor.is_person:
        use_confirmation(actor, start_digest(staff, lost))
    staff = hold_other(actor, staff)
    if not staff.is_active:
        raise Refused(Code.STAFF_INACTIVE, name=staff.name)
    why, now = checked_reason(reason), timezone.now()
    if lost in (Lost.PASSWORD, Lost.ALL):
        if staff.has_usable_password():
            remember_password(staff)
        staff.set_unusable_password()
        staff.save(update_fields=["password"])
    if lost in (Lost.FACTORS, Lost.ALL):
        drop_all_devices(staff)
    end_sessions(staff, "started_again")
    staff.enrolment_codes.filter(used_at=None).update(expires_at=now)
    code = new_code()
    staff.enrolment_codes.create(
        organisation_id=staff.organisation_id,
        code=code_digest(code),
        lost=Lost(lost),
        reason=why,
        made_by=actor.name,
        made_at=now,
        expires_at=now + rules().enrolment,
    )
    record(actor, "staff.started_again", f"staff:{staff.login}", lost=lost, reason=why)
    return code


@action(Permission.STAFF_MANAGE)
def unlock_staff(actor: Actor, *, staff: StaffMember, reason: str) -> StaffMember:
    """End the lock after failed sign-ins. Raises Refused: ORGANISATION_OUT_OF_REACH, STAFF_NOT_LOCKED, STAFF_REASON."""
    staff = hold_other(actor, staff)
    if staff.locked_until is None or staff.locked_until <= timezone.now():
        raise Refused(Code.STAFF_NOT_LOCKED, name=staff.name)
    staff.failed_sign_ins, staff.locked_until = 0, None
    staff.save(update_fields=["failed_sign_ins", "locked_until"])
    record(actor, "staff.unlocked", f"staff:{staff.login}", reason=checked_reason(reason))
    return staff


@action(Permission.STAFF_MANAGE)
def end_sessions_of(actor: Actor, *, staff: StaffMember, reason: str) -> int:
    """Every session of the person ends now.

    Raises Refused: ORGANISATION_OUT_OF_REACH, STAFF_OWN_ACCOUNT, STAFF_REASON.
    """
    staff = hold_other(actor, staff)
    number = end_sessions(staff, "administrator")
    record(actor, "staff.sessions_ended", f"staff:{staff.login}", number=number, reason=checked_reason(reason))
    return number


@action(Permission.SELF_MANAGE)
def end_own_session(actor: Actor, *, session: str) -> None:
    """End one of the own sessions. Raises Refused(SESSION_ENDED)."""
    if not end(StaffSession.objects.filter(pk=session, staff_id=actor.staff_id), "by_holder"):
        raise Refused(Code.SESSION_ENDED, session=session[:8])
    record(actor, "staff.sessions_ended", f"session:{session}", number=1)
