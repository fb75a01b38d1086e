"""Give a person an account in an organisation."""

from __future__ import annotations

import re

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.passwords import set_password
from sheka.office.staff.permissions import Permission
from sheka.office.staff.persons import person_digest
from sheka.office.work.search import keep_name

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
LONGEST_NAME = 60


@action(Permission.STAFF_MANAGE)
def appoint_staff(
    actor: Actor, *, login: str, name: str, person_id: str, organisation_code: str, password: str | None = None
) -> StaffMember:
    """Make the account, without any role; `person_id` is the number by which a second account of the person is known.

    Without a password the person starts the account with a code of `start_again`; one that a person gives here is
    changed at the first sign-in. Raises Refused: STAFF_EXISTS, STAFF_LOGIN, STAFF_NAME, ORGANISATION_OUT_OF_REACH,
    ORGANISATION_NOT_IN_FORCE, and
    as `passwords.check_new_password`.
    """
    place = organisation(organisation_code)
    actor.must_act_for(place)
    place.must_be_in_force(timezone.localdate())
    if not LOGIN.fullmatch(login):
        raise Refused(Code.STAFF_LOGIN, login=login)
    with whole_node("a log-in name is unique over all organisations"):
        if StaffMember.objects.filter(login=login).exists():
            raise Refused(Code.STAFF_EXISTS, name=login)
    staff = StaffMember(login=login, name=checked_name(name), person_id=person_digest(person_id), organisation=place)
    staff.set_unusable_password()
    if password is not None:
        set_password(staff, password, must_change=actor.is_person)
    staff.save()
    keep_name("staff", staff.pk, organisation_code, staff.name)
    keep_name("staff", staff.pk, place.code, staff.name)
    record(actor, "staff.appointed", f"staff:{login}", name=staff.name, organisation=organisation_code)
    return staff


def checked_name(name: str) -> str:
    """The name without space around it. Raises Refused(STAFF_NAME)."""
    plain = name.strip()
    if not 0 < len(plain) <= LONGEST_NAME or not plain.isprintable():
        raise Refused(Code.STAFF_NAME, most=LONGEST_NAME)
    return plain
