"""What a password must be, and setting one (ASVS 5.0 6.2): long, not common, not about its holder, not used before.

No rule asks for kinds of characters, and none for a change after some time.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.models import StaffMember
from sheka.office.staff.rules import rules

SHORTEST_PART = 4
"""A log-in name this short may turn up in a good password by chance; a name in Chinese characters never does."""


def check_new_password(staff: StaffMember, password: str) -> None:
    """Raises Refused: PASSWORD_LENGTH, PASSWORD_COMMON, PASSWORD_ABOUT_HOLDER, PASSWORD_USED."""
    if not rules().password_length <= len(password) <= rules().password_longest:
        raise Refused(Code.PASSWORD_LENGTH, least=rules().password_length, most=rules().password_longest)
    try:
        _common().validate(password)
    except ValidationError:
        raise Refused(Code.PASSWORD_COMMON) from None
    plain = _plain(password)
    if any(part in plain for part in _about(staff)) or len(set(plain)) < SHORTEST_PART:
        raise Refused(Code.PASSWORD_ABOUT_HOLDER)
    held = [staff.password] if staff.has_usable_password() else []
    earlier = staff.passwords_used.values_list("password", flat=True) if staff.pk else []
    if any(check_password(password, used) for used in (*held, *earlier)):
        raise Refused(Code.PASSWORD_USED, number=rules().passwords_remembered)


def set_password(staff: StaffMember, password: str, *, must_change: bool = False) -> None:
    """Check, set and save it; the one before is remembered as a hash. Raises as `check_new_password`."""
    check_new_password(staff, password)
    if staff.pk and staff.has_usable_password():
        remember_password(staff)
    staff.set_password(password)
    staff.must_change_password, staff.password_changed_at = must_change, timezone.now()
    staff.save()


def remember_password(staff: StaffMember) -> None:
    """Keep the hash of the present password, and no more of them than the policy says."""
    staff.passwords_used.create(organisation_id=staff.organisation_id, password=staff.password, until=timezone.now())
    kept = staff.passwords_used.values_list("pk", flat=True)[: rules().passwords_remembered - 1]
    staff.passwords_used.exclude(pk__in=list(kept)).delete()


@cache
def _common() -> CommonPasswordValidator:
    """Django's list of 20,000, read once."""
    return CommonPasswordValidator()


def _about(staff: StaffMember) -> set[str]:
    """What the password must not hold: the name, the log-in name and its parts."""
    parts = {staff.login, *staff.login.replace(".", "-").replace("_", "-").split("-")}
    return {_plain(part) for part in parts if len(part) > SHORTEST_PART} | {_plain(staff.name)}


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
