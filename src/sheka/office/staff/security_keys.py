"""Security keys by WebAuthn: the options for the browser, and what its answer must prove (ASVS 6.3.7, L3).

User verification (PIN or finger on the key) is required; the relying party and the addresses it is served from stand in
the settings. The caller keeps the challenge: it is random, or derived from what is decided.
"""

from __future__ import annotations

import json
from typing import Any

import webauthn
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from sheka.foundation.refusals import Code, Refused, Term
from sheka.office.audit.trail import record
from sheka.office.staff.models import SecurityKey, StaffMember
from sheka.office.staff.tries import own_actor

MALFORMED = Term("应答格式不正确", "it is malformed")
UNKNOWN = Term("不是该账号已登记的密钥", "the key is not registered for this account")
UNPROVEN = Term("签名、来源或用户验证不符", "signature, origin or user verification does not hold")
KNOWN = {transport.value for transport in AuthenticatorTransport}


def keys_of(staff: StaffMember) -> list[SecurityKey]:
    """The keys that open this account: registered, not removed, not locked."""
    return list(staff.security_keys.filter(removed_at=None, locked_at=None))


def registration_options(staff: StaffMember, challenge: bytes) -> str:
    """JSON for `navigator.credentials.create`: keys that are held already are excluded."""
    options = webauthn.generate_registration_options(
        rp_id=settings.WEBAUTHN_RP_ID,
        rp_name="Sheka",
        user_name=staff.login,
        user_display_name=staff.name,
        user_id=f"staff:{staff.pk}".encode(),
        challenge=challenge,
        exclude_credentials=_descriptors(staff),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return webauthn.options_to_json(options)


def assertion_options(staff: StaffMember, challenge: bytes) -> str:
    """JSON for `navigator.credentials.get` with the keys of this person."""
    options = webauthn.generate_authentication_options(
        rp_id=settings.WEBAUTHN_RP_ID,
        challenge=challenge,
        allow_credentials=_descriptors(staff),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def check_registration(challenge: bytes, answer: str) -> tuple[VerifiedRegistration, list[str]]:
    """The new credential and its transports. Raises Refused(SECURITY_KEY_REFUSED)."""
    found = _parsed(answer)
    try:
        verified = webauthn.verify_registration_response(
            credential=found,
            expected_challenge=challenge,
            expected_rp_id=settings.WEBAUTHN_RP_ID,
            expected_origin=settings.WEBAUTHN_ORIGINS,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise Refused(Code.SECURITY_KEY_REFUSED, reason=UNPROVEN) from error
    said = found["response"].get("transports", [])
    return verified, [transport for transport in said if transport in KNOWN] if isinstance(said, list) else []


def check_assertion(staff: StaffMember, challenge: bytes, answer: str) -> SecurityKey:
    """The key that signed `challenge`. Its counter must have grown: otherwise the key is locked for good.

    Raises Refused: SECURITY_KEY_REFUSED, SECURITY_KEY_COPIED. A lock is kept although it is refused.
    """
    found = _parsed(answer)
    copied = False
    with transaction.atomic():
        keys = SecurityKey.objects.select_for_update().filter(staff=staff, removed_at=None, locked_at=None)
        key = keys.filter(credential_id=_credential_id(found)).first()
        if key is None:
            raise Refused(Code.SECURITY_KEY_REFUSED, reason=UNKNOWN)
        try:
            verified = webauthn.verify_authentication_response(
                credential=found,
                expected_challenge=challenge,
                expected_rp_id=settings.WEBAUTHN_RP_ID,
                expected_origin=settings.WEBAUTHN_ORIGINS,
                credential_public_key=bytes(key.public_key),
                credential_current_sign_count=0,  # the counter is judged below, where a copy is locked
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise Refused(Code.SECURITY_KEY_REFUSED, reason=UNPROVEN) from error
        now, count = timezone.now(), verified.new_sign_count
        copied = count <= key.sign_count and (count, key.sign_count) != (0, 0)
        if copied:
            key.locked_at = now
            key.save(update_fields=["locked_at"])
            facts = {"label": key.label, "held": key.sign_count, "got": count}
            record(own_actor(staff), "staff.security_key_locked", f"staff:{staff.login}", **facts)
        else:
            key.sign_count, key.last_used_at = count, now
            key.save(update_fields=["sign_count", "last_used_at"])
    if copied:
        raise Refused(Code.SECURITY_KEY_COPIED, label=key.label)
    return key


def _descriptors(staff: StaffMember) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=bytes(key.credential_id), transports=[AuthenticatorTransport(word) for word in key.transports] or None
        )
        for key in keys_of(staff)
    ]


def _parsed(answer: str) -> dict[str, Any]:
    """The browser's JSON as far as we look at it ourselves. Raises Refused(SECURITY_KEY_REFUSED)."""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise Refused(Code.SECURITY_KEY_REFUSED, reason=MALFORMED) from error
    if not isinstance(found, dict) or not isinstance(found.get("response"), dict):
        raise Refused(Code.SECURITY_KEY_REFUSED, reason=MALFORMED)
    return found


def _credential_id(found: dict[str, Any]) -> bytes:
    try:
        return base64url_to_bytes(str(found.get("id")))
    except ValueError as error:
        raise Refused(Code.SECURITY_KEY_REFUSED, reason=MALFORMED) from error
