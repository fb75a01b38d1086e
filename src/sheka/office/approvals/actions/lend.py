"""Lend the right to decide to a colleague for a time, and end it: recorded in both names."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.approvals.models import Delegation
from sheka.office.approvals.routes import deciding_permissions, right_title
from sheka.office.approvals.seats import may_pass_to, place_term
from sheka.office.approvals.waiting import LENT
from sheka.office.audit.trail import record
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.work.notices import notify

LONGEST = timedelta(days=90)


def lend(actor: Actor, *, permission: Permission, to: int, valid_from: date, valid_to: date, reason: str) -> Delegation:
    """The delegate decides in the lender's right on every day from `valid_from` until before `valid_to`.

    Only a right of one's own is lent, never a borrowed one. Raises Refused: PERMISSION_MISSING,
    DELEGATION_NOT_DECIDING, DELEGATION_DATES, DELEGATION_SELF, DELEGATION_ELSEWHERE, DELEGATION_INCOMPATIBLE,
    DELEGATION_TWICE, APPROVAL_REASON.
    """
    if actor.staff_id is None:
        raise Refused(Code.APPROVAL_NEEDS_PERSON)
    return action(permission)(_lend)(actor, permission, to, valid_from, valid_to, reason.strip())


def _lend(actor: Actor, permission: Permission, to: int, valid_from: date, valid_to: date, reason: str) -> Delegation:
    if permission not in deciding_permissions():
        raise Refused(Code.DELEGATION_NOT_DECIDING, permission=right_title(permission))
    if not timezone.localdate() <= valid_from < valid_to <= valid_from + LONGEST:
        raise Refused(Code.DELEGATION_DATES, days=LONGEST.days)
    if not reason:
        raise Refused(Code.APPROVAL_REASON)
    lender = StaffMember.objects.select_for_update().get(pk=actor.staff_id)
    delegate = StaffMember.objects.filter(pk=to, is_active=True).first()
    if delegate is None or delegate.organisation_id != actor.organisation:
        raise Refused(Code.DELEGATION_ELSEWHERE, organisation=place_term(actor.organisation))
    if delegate.person_id == lender.person_id:
        raise Refused(Code.DELEGATION_SELF)
    if not may_pass_to(lender, delegate, permission):
        raise Refused(Code.DELEGATION_INCOMPATIBLE, name=delegate.name, permission=right_title(permission))
    overlapping = Delegation.objects.filter(
        lender=lender, permission=permission, ended_at=None, valid_from__lt=valid_to, valid_to__gt=valid_from
    )
    if overlapping.exists():
        raise Refused(Code.DELEGATION_TWICE, permission=right_title(permission))
    lent = Delegation.objects.create(
        organisation_id=actor.organisation,
        lender=lender,
        delegate=delegate,
        permission=permission,
        reason=reason,
        valid_from=valid_from,
        valid_to=valid_to,
        made_at=timezone.now(),
    )
    notify(
        delegate.pk,
        LENT,
        f"delegation:{lent.pk}",
        zh=f"{lender.name} 委托您审批，自 {valid_from} 起，{valid_to} 前有效",
        en=f"{lender.name} lends you the right to decide, from {valid_from} until before {valid_to}",
    )
    record(
        actor,
        "delegation.lent",
        f"staff:{lender.login}",
        to=delegate.login,
        delegate=delegate.name,
        permission=permission.value,
        valid_from=valid_from,
        valid_to=valid_to,
        reason=reason,
    )
    return lent


def end_lending(actor: Actor, *, delegation_id: int) -> Delegation:
    """The lender takes the right back, or the delegate gives it back; a second time changes nothing.

    Raises Refused(DELEGATION_UNKNOWN) to anybody else.
    """
    with acting_in(actor.scope), transaction.atomic():
        found = Delegation.objects.select_for_update().filter(pk=delegation_id).first()
        if found is None or actor.staff_id not in {found.lender_id, found.delegate_id}:
            raise Refused(Code.DELEGATION_UNKNOWN)
        if found.ended_at is None:
            found.ended_at = timezone.now()
            found.save(update_fields=["ended_at"])
            record(
                actor,
                "delegation.ended",
                f"staff:{found.lender.login}",
                to=found.delegate.login,
                permission=found.permission,
            )
        return found
