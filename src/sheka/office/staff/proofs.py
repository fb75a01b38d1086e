"""What a person can prove: the password, a one-time code, a security key, a recovery code. Each failure is counted.

Signing in and confirming a decision both stand on these; `refusal` is what a wrong password or code is answered with.
"""

from __future__ import annotations

import re

from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.models import RecoveryCode, SecurityKey, StaffMember
from sheka.office.staff.persons import code_digest
from sheka.office.staff.security_keys import check_assertion, keys_of
from sheka.office.staff.tries import Visit, failure, must_be_let_in, must_be_open, wrong

PASSWORD, CODE, KEY, RECOVERY = "password", "code", "key", "recovery"
_CODE = re.compile(r"[0-9]{6,8}")


def factors_of(staff: StaffMember) -> set[str]:
    """The kinds of second factor that this account holds."""
    held = {CODE} if TOTPDevice.objects.filter(user=staff, confirmed=True).exists() else set()
    held |= {KEY} if keys_of(staff) else set()
    return held | ({RECOVERY} if staff.recovery_codes.filter(used_at=None).exists() else set())


def prove_password(staff: StaffMember, password: str, visit: Visit, refusal: Code = Code.SIGN_IN_FAILED) -> None:
    """Raises Refused: `refusal`, SIGN_IN_LOCKED, SIGN_IN_TOO_MANY, STAFF_INACTIVE."""
    must_be_let_in(visit)
    must_be_open(staff)
    if not staff.check_password(password):
        raise failure(staff, PASSWORD, visit, wrong(refusal))


def prove_code(staff: StaffMember, code: str, visit: Visit, refusal: Code = Code.SIGN_IN_FAILED) -> TOTPDevice:
    """The device that made the code; each code counts once (ASVS 6.5.1). Raises as `prove_password`."""
    must_be_let_in(visit)
    must_be_open(staff)
    if _CODE.fullmatch(code):
        with transaction.atomic():
            for device in TOTPDevice.objects.select_for_update().filter(user=staff, confirmed=True).order_by("pk"):
                if device.verify_token(code):
                    return device
    raise failure(staff, CODE, visit, wrong(refusal))


def prove_code_or_recovery(staff: StaffMember, code: str, visit: Visit, refusal: Code) -> str:
    """Digits are a one-time code, anything longer a recovery code; which it was. Raises as `prove_password`."""
    if _CODE.fullmatch(code):
        prove_code(staff, code, visit, refusal)
        return CODE
    prove_recovery(staff, code, visit, refusal)
    return RECOVERY


def prove_key(staff: StaffMember, challenge: bytes, answer: str, visit: Visit) -> SecurityKey:
    """The key that signed the challenge. Raises Refused: SECURITY_KEY_REFUSED, SECURITY_KEY_COPIED, SIGN_IN_LOCKED."""
    must_be_let_in(visit)
    must_be_open(staff)
    try:
        return check_assertion(staff, challenge, answer)
    except Refused as refusal:
        if refusal.code is Code.SECURITY_KEY_REFUSED:
            raise failure(staff, KEY, visit, refusal) from refusal
        raise


def prove_recovery(staff: StaffMember, code: str, visit: Visit, refusal: Code = Code.SIGN_IN_FAILED) -> RecoveryCode:
    """Use up one recovery code. Raises as `prove_password`."""
    must_be_let_in(visit)
    must_be_open(staff)
    with transaction.atomic():
        rows = RecoveryCode.objects.select_for_update().filter(staff=staff, used_at=None, code=code_digest(code))
        row = rows.first()
        if row is not None:
            row.used_at = timezone.now()
            row.save(update_fields=["used_at"])
            return row
    raise failure(staff, RECOVERY, visit, wrong(refusal))
