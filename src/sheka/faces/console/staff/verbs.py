"""The verbs of a person's page: what each asks for, which action does it, and when it is offered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sheka.faces.console.staff.forms import (
    AboutPerson,
    GrantForm,
    RenameForm,
    StartAgainForm,
    TransferForm,
    WhyForm,
)
from sheka.office.staff.actions.grant_role import grant_role
from sheka.office.staff.actions.move_staff import leave_staff, rename_staff, return_staff, transfer_staff
from sheka.office.staff.actions.start_again import end_sessions_of, start_again, start_digest, unlock_staff
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.sessions import running


@dataclass(frozen=True, slots=True)
class Verb:
    """`offered(staff)` says whether it makes sense now; `digest` what presence is confirmed for, for a verb that needs
    it. `gone`: what will be lost, said before.
    """

    title: str | Promise
    form: type[AboutPerson]
    act: Callable[[Actor, StaffMember, dict[str, Any]], Any]
    offered: Callable[[StaffMember], bool]
    gone: str | Promise = ""
    danger: bool = False
    digest: Callable[[StaffMember, dict[str, Any]], str] | None = None


def _open(staff: StaffMember) -> bool:
    return staff.is_active


def _locked(staff: StaffMember) -> bool:
    return staff.locked_until is not None and staff.locked_until > timezone.now()


VERBS: dict[str, Verb] = {
    "unlock": Verb(
        _("Unlock"),
        WhyForm,
        lambda actor, staff, given: unlock_staff(actor, staff=staff, reason=given["text"]),
        _locked,
    ),
    "grant": Verb(
        _("Grant a role"),
        GrantForm,
        lambda actor, staff, given: grant_role(actor, staff=staff, **given),
        _open,
    ),
    "start-again": Verb(
        _("Give an enrolment code"),
        StartAgainForm,
        lambda actor, staff, given: start_again(actor, staff=staff, lost=given["lost"], reason=given["text"]),
        _open,
        gone=_("What was lost opens the account no more, and every session ends."),
        digest=lambda staff, given: start_digest(staff, given["lost"]),
    ),
    "end-sessions": Verb(
        _("End all sessions"),
        WhyForm,
        lambda actor, staff, given: end_sessions_of(actor, staff=staff, reason=given["text"]),
        lambda staff: running(staff).exists(),
    ),
    "rename": Verb(
        _("Change the name"),
        RenameForm,
        lambda actor, staff, given: rename_staff(actor, staff=staff, name=given["name"], reason=given["text"]),
        _open,
    ),
    "transfer": Verb(
        _("Transfer"),
        TransferForm,
        lambda actor, staff, given: transfer_staff(
            actor, staff=staff, organisation_code=given["organisation"], reason=given["text"]
        ),
        _open,
        gone=_("All roles and sessions end; open work goes back to its pool. Roles are granted anew at the new place."),
    ),
    "leave": Verb(
        _("Leaves"),
        WhyForm,
        lambda actor, staff, given: leave_staff(actor, staff=staff, reason=given["text"]),
        _open,
        gone=_("The account closes at once: roles, sessions, devices and codes end; open work goes back to its pool."),
        danger=True,
    ),
    "return": Verb(
        _("Returns"),
        WhyForm,
        lambda actor, staff, given: return_staff(actor, staff=staff, reason=given["text"]),
        lambda staff: not staff.is_active,
        gone=_("The account opens without role, password or device; an enrolment code comes next."),
    ),
}
"""In the order in which a page offers them."""
