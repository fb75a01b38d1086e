"""Password and one-time code, with a lock after repeated failures; each try is audited."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.queries import actor_of

LIMIT = 5
LOCKED_FOR = timedelta(minutes=15)
_MINUTES = int(LOCKED_FOR.total_seconds() // 60)


def check_password(login: str, password: str) -> StaffMember:
    """The person with this name and password. Raises Refused: SIGN_IN_FAILED, SIGN_IN_LOCKED, STAFF_INACTIVE.

    An unknown name costs the same time and gets the same answer as a wrong password.
    """
    staff = StaffMember.objects.select_related("organisation").filter(login=login).first()
    if staff is None:
        make_password(password)
        raise Refused(Code.SIGN_IN_FAILED, limit=LIMIT, minutes=_MINUTES)
    _must_be_open(staff)
    if not staff.check_password(password):
        _failed(staff, "password")
    return staff


def check_code(staff: StaffMember, code: str) -> TOTPDevice:
    """The device that made this code; each code counts once. Raises Refused: SIGN_IN_FAILED, SIGN_IN_LOCKED."""
    _must_be_open(staff)
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user=staff, confirmed=True).first()
        accepted = device is not None and device.verify_token(code)
    if device is None or not accepted:
        _failed(staff, "code")
    with transaction.atomic():
        StaffMember.objects.filter(pk=staff.pk).update(failed_sign_ins=0, locked_until=None)
        record(actor_of(staff), "staff.signed_in", f"staff:{staff.login}")
    return device


def code_shown_in_demo(staff: StaffMember) -> str | None:
    """The code that is valid now, for the demo's second step only."""
    device = TOTPDevice.objects.filter(user=staff, confirmed=True).first()
    if device is None:
        return None
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    return f"{clock.token():0{device.digits}d}"


def _must_be_open(staff: StaffMember) -> None:
    if not staff.is_active:
        raise Refused(Code.STAFF_INACTIVE, name=staff.name)
    if staff.locked_until and staff.locked_until > timezone.now():
        raise Refused(Code.SIGN_IN_LOCKED, minutes=_MINUTES)


def _failed(staff: StaffMember, which: str) -> None:
    """Count the failure, lock at the limit, and refuse."""
    with transaction.atomic():
        StaffMember.objects.filter(pk=staff.pk).update(failed_sign_ins=F("failed_sign_ins") + 1)
        staff.refresh_from_db()
        locked = staff.failed_sign_ins >= LIMIT
        if locked:
            until = timezone.now() + LOCKED_FOR
            StaffMember.objects.filter(pk=staff.pk).update(failed_sign_ins=0, locked_until=until)
        stranger = Actor(staff.pk, staff.name, staff.organisation_id, staff.organisation.path, frozenset())
        record(stranger, "staff.sign_in_failed", f"staff:{staff.login}", which=which, locked=locked)
    if locked:
        raise Refused(Code.SIGN_IN_LOCKED, minutes=_MINUTES)
    raise Refused(Code.SIGN_IN_FAILED, limit=LIMIT, minutes=_MINUTES)
