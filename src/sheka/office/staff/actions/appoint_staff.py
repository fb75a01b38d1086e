"""Give a person an account in an organisation."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission


@action(Permission.STAFF_MANAGE)
def appoint_staff(
    actor: Actor, *, login: str, name: str, person_id: str, organisation_code: str, password: str
) -> StaffMember:
    """Make the account, without any role. Raises Refused(STAFF_EXISTS)."""
    place = organisation(organisation_code)
    actor.must_act_for(place)
    if StaffMember.objects.filter(login=login).exists():
        raise Refused(Code.STAFF_EXISTS, name=login)
    staff = StaffMember(login=login, name=name, person_id=person_id, organisation=place)
    staff.set_password(password)
    staff.save()
    record(actor, "staff.appointed", f"staff:{login}", name=name, organisation=organisation_code)
    return staff
