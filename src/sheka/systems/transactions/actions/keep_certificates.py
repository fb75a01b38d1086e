"""Certificates of institutions' lines, by fingerprint (S4): registered from PEM, ended, never deleted."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.acquiring_models import Certificate
from sheka.systems.transactions.registration import locked

LONGEST_PEM = 16_384


@action(Permission.ACQUIRING_REGISTER)
def add_certificate(actor: Actor, *, code: str, pem: str) -> Certificate:
    """Register the certificate (PEM, one) of an institution.

    Raises Refused: INSTITUTION_UNKNOWN, CERTIFICATE_UNREADABLE, CERTIFICATE_KNOWN.
    """
    row = locked(actor, code)
    found, now = _read(pem), timezone.now()
    if found.not_valid_after_utc <= now:
        raise _unreadable("已经过期", "it has expired")
    fingerprint = found.fingerprint(SHA256()).hex()
    if Certificate.objects.filter(fingerprint=fingerprint).exists():
        raise Refused(Code.CERTIFICATE_KNOWN)
    made = Certificate.objects.create(
        institution=row,
        fingerprint=fingerprint,
        subject=found.subject.rfc4514_string()[:200],
        valid_from=found.not_valid_before_utc,
        valid_to=found.not_valid_after_utc,
        by=actor.name,
        at=now,
    )
    record(
        actor, "institution.certificate_added", f"institution:{code}", fingerprint=fingerprint, valid_to=made.valid_to
    )
    return made


@action(Permission.ACQUIRING_REGISTER)
def end_certificate(actor: Actor, *, code: str, fingerprint: str, reason: str) -> Certificate:
    """The certificate is good no longer. Raises Refused: INSTITUTION_UNKNOWN, CERTIFICATE_NOT_HERE."""
    row = locked(actor, code)
    found = (
        Certificate.objects.select_for_update()
        .filter(institution=row, fingerprint=fingerprint.lower(), ended_at=None)
        .first()
    )
    if found is None:
        raise Refused(Code.CERTIFICATE_NOT_HERE, fingerprint=fingerprint[:64])
    found.ended_at, found.ended_by = timezone.now(), actor.name
    found.save(update_fields=["ended_at", "ended_by"])
    record(
        actor,
        "institution.certificate_ended",
        f"institution:{code}",
        fingerprint=found.fingerprint,
        reason=reason.strip()[:300],
    )
    return found


def _read(pem: str) -> x509.Certificate:
    try:
        if len(pem) > LONGEST_PEM:
            raise ValueError
        return x509.load_pem_x509_certificate(pem.strip().encode("ascii"))
    except ValueError:
        raise _unreadable("不是PEM格式的X.509证书", "not an X.509 certificate in PEM") from None


def _unreadable(zh: str, en: str) -> Refused:
    return Refused(Code.CERTIFICATE_UNREADABLE, problem=Term(zh, en))
