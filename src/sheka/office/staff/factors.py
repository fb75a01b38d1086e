"""Second factors of an account: enrolling and removing authenticators (TOTP) and security keys, recovery codes.

Every account holds one at least; the last cannot be removed. Whoever calls these has proved presence before
(`office.staff.confirmations`) or holds a code of `office.staff.enrolment`.
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from urllib.parse import quote, urlencode

from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.models import RecoveryCode, SecurityKey, StaffMember
from sheka.office.staff.persons import code_digest
from sheka.office.staff.rules import rules
from sheka.office.staff.security_keys import check_registration, keys_of

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Of codes that people copy by hand: no I, O, 0, 1."""
CHARACTERS = 24
"""120 bits: such a code may be kept under a keyed digest instead of a slow hash (ASVS 6.5.2)."""
MOST_DEVICES = 8


def new_code() -> str:
    """A random code in groups of four.

    >>> len(new_code())
    29
    """
    letters = "".join(secrets.choice(LETTERS) for _ in range(CHARACTERS))
    return "-".join(letters[place : place + 4] for place in range(0, CHARACTERS, 4))


def begin_authenticator(staff: StaffMember, label: str) -> TOTPDevice:
    """A new secret, to be confirmed by its first code; one that was begun before and never confirmed is forgotten."""
    TOTPDevice.objects.filter(user=staff, confirmed=False).delete()
    _one_more(staff)
    device: TOTPDevice = TOTPDevice.objects.create(user=staff, name=label.strip()[:60], confirmed=False)
    return device


def authenticator_address(device: TOTPDevice) -> str:
    """The otpauth address that an authenticator reads from the QR code."""
    label = quote(f"Sheka:{device.user.login}")
    secret = {"secret": _base32(device), "issuer": "Sheka", "algorithm": "SHA1", "digits": device.digits}
    return f"otpauth://totp/{label}?{urlencode({**secret, 'period': device.step})}"


def authenticator_secret(device: TOTPDevice) -> str:
    """The secret in groups of four, for a phone without a camera."""
    text = _base32(device)
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def confirm_authenticator(staff: StaffMember, code: str) -> TOTPDevice:
    """The first code proves that the phone has the secret. Raises Refused(FACTOR_NOT_CONFIRMED)."""
    device = TOTPDevice.objects.select_for_update().filter(user=staff, confirmed=False).first()
    if device is None or not device.verify_token(code):
        raise Refused(Code.FACTOR_NOT_CONFIRMED)
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    return device


def add_key(staff: StaffMember, challenge: bytes, answer: str, label: str) -> SecurityKey:
    """Register the security key that answered. Raises Refused: SECURITY_KEY_REFUSED, FACTOR_TOO_MANY."""
    _one_more(staff)
    verified, transports = check_registration(challenge, answer)
    if SecurityKey.objects.filter(credential_id=verified.credential_id).exists():
        raise Refused(Code.SECURITY_KEY_KNOWN)
    return SecurityKey.objects.create(
        staff=staff,
        organisation_id=staff.organisation_id,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=transports,
        label=label.strip()[:60],
        made_at=timezone.now(),
    )


def drop_device(staff: StaffMember, kind: str, number: int) -> str:
    """Remove one device; what it was called. Raises Refused: FACTOR_UNKNOWN, FACTOR_LAST."""
    key = staff.security_keys.filter(pk=number, removed_at=None).first() if kind == "key" else None
    phone = TOTPDevice.objects.filter(user=staff, pk=number, confirmed=True).first() if kind == "code" else None
    if key is None and phone is None:
        raise Refused(Code.FACTOR_UNKNOWN)
    opens = key is None or key.locked_at is None
    if opens and device_count(staff) <= 1:
        raise Refused(Code.FACTOR_LAST)
    if phone is not None:
        phone.delete()
        return str(phone.name)
    key.removed_at = timezone.now()
    key.save(update_fields=["removed_at"])
    return str(key.label)


def drop_all_devices(staff: StaffMember) -> int:
    """The person leaves, or has lost everything: nothing opens the account any more. How many devices there were."""
    held = device_count(staff)
    TOTPDevice.objects.filter(user=staff).delete()
    staff.security_keys.filter(removed_at=None).update(removed_at=timezone.now())
    staff.recovery_codes.filter(used_at=None).delete()
    return held


def device_count(staff: StaffMember) -> int:
    """How many devices open this account; recovery codes are none."""
    return TOTPDevice.objects.filter(user=staff, confirmed=True).count() + len(keys_of(staff))


def new_recovery_codes(staff: StaffMember) -> list[str]:
    """A fresh sheet, shown once; the sheet before it is void."""
    staff.recovery_codes.filter(used_at=None).delete()
    codes = [new_code() for _ in range(rules().recovery_codes)]
    now = timezone.now()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(staff=staff, organisation_id=staff.organisation_id, code=code_digest(code), made_at=now)
        for code in codes
    )
    return codes


def _one_more(staff: StaffMember) -> None:
    if device_count(staff) >= MOST_DEVICES:
        raise Refused(Code.FACTOR_TOO_MANY, most=MOST_DEVICES)


def _base32(device: TOTPDevice) -> str:
    return b32encode(device.bin_key).decode().rstrip("=")
