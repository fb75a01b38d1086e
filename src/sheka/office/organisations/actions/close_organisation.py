"""Close an organisation for good."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.closing import left_open
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import lock_tree, must_be_in_force, organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

_PAST = Term("早于今天或不晚于启用日", "it lies before today, or not after the day of opening")


@action(Permission.ORGANISATION_MANAGE)
def close_organisation(actor: Actor, *, code: str, on: date, reason: str) -> Organisation:
    """From the day `on` (today or later) it neither acts nor takes staff nor signs in. Its rows stay.

    Raises Refused: ORGANISATION_OUT_OF_REACH (also for the own organisation: its superior closes it),
    ORGANISATION_NOT_IN_FORCE, ORGANISATION_DATES, STAFF_REASON, ORGANISATION_BUSY with what is left: organisations
    below it, and what the apps keep there (`closing`).
    """
    if not reason.strip():
        raise Refused(Code.STAFF_REASON)
    lock_tree()
    closed = organisation(code)
    if closed.parent is None:
        raise Refused(Code.ORGANISATION_OUT_OF_REACH, organisation=closed.name)
    actor.must_act_for(closed.parent)
    must_be_in_force(code)
    if on < timezone.localdate() or on <= closed.valid_from:
        raise Refused(Code.ORGANISATION_DATES, organisation=closed.name, date=on, reason=_PAST)
    below = closed.children.exclude(valid_to__lte=on).count()
    left = [*([(Term("下级机构", "organisations below it"), below)] if below else []), *left_open(code)]
    if left:
        zh = "、".join(f"{term.zh} {number}" for term, number in left)
        en = ", ".join(f"{term.en}: {number}" for term, number in left)
        raise Refused(Code.ORGANISATION_BUSY, organisation=closed.name, what=Term(zh, en))
    closed.valid_to = on
    closed.save(update_fields=["valid_to"])
    record(actor, "organisation.closed", f"organisation:{code}", on=on, reason=reason.strip())
    return closed
