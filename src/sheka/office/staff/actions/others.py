"""What every verb on another person's account begins with."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.queries import person_of


def hold_other(actor: Actor, staff: StaffMember) -> StaffMember:
    """The row of somebody else in an office of the actor, held until the transaction ends.

    Raises Refused: STAFF_UNKNOWN (out of the actor's sight), ORGANISATION_OUT_OF_REACH, STAFF_OWN_ACCOUNT (any account
    of the actor's own person).
    """
    rows = StaffMember.objects.select_for_update(of=("self",)).select_related("organisation")
    held = rows.filter(pk=staff.pk).first()
    if held is None:
        raise Refused(Code.STAFF_UNKNOWN, name=staff.login)
    actor.must_act_for(held.organisation)
    if actor.staff_id is not None and person_of(actor.staff_id) == held.person_id:
        raise Refused(Code.STAFF_OWN_ACCOUNT)
    return held


def checked_reason(reason: str) -> str:
    """One line that says why. Raises Refused(STAFF_REASON)."""
    plain = " ".join(reason.split())
    if not 2 <= len(plain) <= 200:
        raise Refused(Code.STAFF_REASON)
    return plain
