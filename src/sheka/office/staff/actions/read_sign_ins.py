"""Looking at when and from where another signed in: personal data, so the purpose is on record (design §2.10)."""

from __future__ import annotations

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actions.others import checked_reason
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import SignIn, StaffMember, StaffSession
from sheka.office.staff.permissions import Permission
from sheka.office.staff.sessions import running

SHOWN = 50


@action(Permission.STAFF_VIEW)
def read_sign_ins(actor: Actor, *, staff: StaffMember, purpose: str) -> tuple[list[SignIn], list[StaffSession]]:
    """The last sign-ins of the person, and the sessions that run.

    Raises Refused: ORGANISATION_OUT_OF_REACH, STAFF_REASON.
    """
    actor.must_act_for(staff.organisation)
    record(actor, "staff.sign_ins_read", f"staff:{staff.login}", purpose=checked_reason(purpose))
    return list(staff.sign_ins.all()[:SHOWN]), list(running(staff))
