"""Presence proved for exactly what is decided (ASVS 7.5.3, L3; design §2.5).

A confirmation is bound to the person, to the session, and to the SM3 digest of the frozen payload; it counts once, for
five minutes. It is given by a security key whose challenge is derived from the digest and a nonce of ours, so that the
key's signature is over this decision and no other; or by password and one-time code.

An action calls `use_confirmation(actor, digest)` in its transaction. The console asks by
`faces.console.account.confirm`.
"""

from __future__ import annotations

import secrets

from django.db import transaction
from django.utils import timezone

from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import Confirmation, StaffMember
from sheka.office.staff.proofs import KEY, prove_code_or_recovery, prove_key, prove_password
from sheka.office.staff.rules import rules
from sheka.office.staff.security_keys import assertion_options
from sheka.office.staff.tries import NOWHERE, Visit, cleared

NONCE_BYTES = 32


def ask_confirmation(actor: Actor, digest: str) -> Confirmation:
    """Begin: a nonce of ours is kept, from which a security key's challenge is derived."""
    return Confirmation.objects.create(
        staff=_person(actor),
        organisation_id=actor.organisation,
        session=actor.session,
        digest=digest,
        nonce=secrets.token_bytes(NONCE_BYTES),
        asked_at=timezone.now(),
    )


def challenge_of(asked: Confirmation) -> bytes:
    """What a security key signs: SM3 over the nonce, the session and the digest of what is decided."""
    return sm3(b"sheka confirmation\0" + bytes(asked.nonce) + asked.session.encode() + bytes.fromhex(asked.digest))


def key_options(asked: Confirmation) -> str:
    """JSON for `navigator.credentials.get`."""
    return assertion_options(asked.staff, challenge_of(asked))


def confirm_with_key(actor: Actor, digest: str, asked_id: int, answer: str, visit: Visit = NOWHERE) -> Confirmation:
    """Presence by the answer of a security key to `asked_id`.

    Raises Refused: CONFIRMATION_NEEDED (not asked here, or too long ago), SECURITY_KEY_REFUSED, SECURITY_KEY_COPIED,
    SIGN_IN_LOCKED.
    """
    asked = Confirmation.objects.filter(
        pk=asked_id,
        staff_id=actor.staff_id,
        session=actor.session,
        digest=digest,
        confirmed_at=None,
        asked_at__gt=timezone.now() - rules().confirmation,
    ).first()
    if asked is None:
        raise Refused(Code.CONFIRMATION_NEEDED)
    prove_key(asked.staff, challenge_of(asked), answer, visit)
    return _confirmed(actor, asked, KEY)


def confirm_with_code(actor: Actor, digest: str, password: str, code: str, visit: Visit = NOWHERE) -> Confirmation:
    """Presence by password and one-time code, or by password and a recovery code.

    Raises Refused: CONFIRMATION_FAILED (counted towards the lock), SIGN_IN_LOCKED, SIGN_IN_TOO_MANY, STAFF_INACTIVE,
    CONFIRMATION_NEEDED for one who is no person.
    """
    staff = _person(actor)
    prove_password(staff, password, visit, Code.CONFIRMATION_FAILED)
    factor = prove_code_or_recovery(staff, code, visit, Code.CONFIRMATION_FAILED)
    return _confirmed(actor, ask_confirmation(actor, digest), factor)


def use_confirmation(actor: Actor, digest: str) -> Confirmation:
    """Use up the presence that this person proved in this session for this digest; which factor it was is on the row.

    Called inside an action. Raises Refused(CONFIRMATION_NEEDED).
    """
    usable = Confirmation.objects.select_for_update().filter(
        staff_id=actor.staff_id,
        session=actor.session,
        digest=digest,
        used_at=None,
        confirmed_at__gt=timezone.now() - rules().confirmation,
    )
    found = usable.order_by("confirmed_at").first() if actor.is_person else None
    if found is None:
        raise Refused(Code.CONFIRMATION_NEEDED)
    found.used_at = timezone.now()
    found.save(update_fields=["used_at"])
    return found


def _person(actor: Actor) -> StaffMember:
    """Raises Refused(CONFIRMATION_NEEDED): a process of the node can prove no presence."""
    if actor.staff_id is None:
        raise Refused(Code.CONFIRMATION_NEEDED)
    return StaffMember.objects.select_related("organisation").get(pk=actor.staff_id)


def _confirmed(actor: Actor, asked: Confirmation, factor: str) -> Confirmation:
    with transaction.atomic():
        asked.factor, asked.confirmed_at = factor, timezone.now()
        asked.save(update_fields=["factor", "confirmed_at"])
        cleared(asked.staff)
        record(actor, "staff.presence_confirmed", f"staff:{asked.staff.login}", factor=factor, digest=asked.digest)
    return asked
