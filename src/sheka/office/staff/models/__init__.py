"""The tables of staff: people and grants, second factors, sessions."""

from __future__ import annotations

from sheka.office.staff.models.factors import EnrolmentCode, PasswordUsed, RecoveryCode, SecurityKey
from sheka.office.staff.models.people import Grant, StaffMember
from sheka.office.staff.models.sessions import AttemptWindow, Confirmation, SignIn, StaffSession

__all__ = [
    "AttemptWindow",
    "Confirmation",
    "EnrolmentCode",
    "Grant",
    "PasswordUsed",
    "RecoveryCode",
    "SecurityKey",
    "SignIn",
    "StaffMember",
    "StaffSession",
]
