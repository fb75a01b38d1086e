"""People with second factors, and a security key in software."""

from __future__ import annotations

import pytest
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.faces.story.security_key import SoftKey
from sheka.office.staff.models import StaffMember
from sheka.office.staff.security_keys import check_registration, registration_options


@pytest.fixture
def phone(appoint):
    """phone(login, organisation="460100", *roles) → (the actor, code); code() is an unused code, code(device) one
    of another device."""

    def make(login, organisation="460100", *roles, person=None):
        actor = appoint(login, organisation, *roles, person=person)
        device = TOTPDevice.objects.create(user_id=actor.staff_id, name="phone", confirmed=True)
        return actor, lambda other=None: next_code(other or device)

    return make


def next_code(device):
    """The code of the first step that was not used yet; the device's tolerance takes one step ahead."""
    device.refresh_from_db()
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    ahead = max(0, device.last_t + 1 - clock.t())
    clock.drift += ahead
    return f"{clock.token():06d}"


@pytest.fixture
def soft_key(settings):
    """soft_key(login) → a security key in software, registered for this person."""

    def make(login):
        staff = StaffMember.objects.get(login=login)
        key = SoftKey(settings.WEBAUTHN_RP_ID, settings.WEBAUTHN_ORIGINS[0])
        challenge = b"c" * 32
        verified, transports = check_registration(challenge, key.register(registration_options(staff, challenge)))
        staff.security_keys.create(
            organisation_id=staff.organisation_id,
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            transports=transports,
            label="key",
            made_at="2026-11-01T00:00:00Z",
        )
        return key

    return make
