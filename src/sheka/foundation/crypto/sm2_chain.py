"""Checks a chain of SM2 certificates from a device or officer up to a trusted root (K4, K6; RFC 5280 §6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sheka.foundation.crypto.sm2_certificate import Certificate, parse
from sheka.foundation.refusals import Code, Refused

MOST_LEVELS = 8


def verify_chain(leaf: bytes, others: Iterable[bytes], roots: Sequence[bytes], *, at: datetime) -> list[Certificate]:
    """The certificates from `leaf` to a root of `roots` (all DER), each signed by the next and valid at `at` (aware).

    `others` may hold the certificates between in any order, and more than needed. A root is trusted because the
    caller holds it, byte for byte; its dates and its own signature are checked too.

    Errors: `CRYPTO_CERTIFICATE_FORM`, `_DATE`, `_SIGNATURE`; `_CHAIN` when no path leads to a root, an issuer was not
    allowed to issue, or there are too many levels.
    """
    if at.tzinfo is None:
        raise Refused(Code.CRYPTO_CERTIFICATE_FORM, reason="dates need a time zone")
    trusted = [parse(root) for root in roots]
    between = [parse(other) for other in others]
    chain = [parse(leaf)]
    _need_valid(chain[0], at)
    while not _is_one_of(chain[-1], trusted):
        if len(chain) == MOST_LEVELS:
            raise Refused(Code.CRYPTO_CERTIFICATE_CHAIN, reason=f"more than {MOST_LEVELS} levels")
        candidates = [*trusted, *(other for other in between if other not in chain)]
        candidates.sort(key=lambda other: not _is_valid(other, at))
        issuer = _issuer_of(chain[-1], candidates)
        _need_valid(issuer, at)
        _need_may_issue(issuer, authorities_below=len(chain) - 1)
        chain.append(issuer)
    root = chain[-1]
    if not root.signed_by(root.public):
        raise Refused(Code.CRYPTO_CERTIFICATE_SIGNATURE, subject=root.subject)
    return chain


def _is_one_of(certificate: Certificate, trusted: Sequence[Certificate]) -> bool:
    return any(certificate.encoded == root.encoded for root in trusted)


def _issuer_of(certificate: Certificate, candidates: Sequence[Certificate]) -> Certificate:
    """The candidate named as issuer whose key made the signature."""
    named = [
        other for other in candidates if other.subject_der == certificate.issuer_der and _keys_agree(certificate, other)
    ]
    if not named:
        raise Refused(Code.CRYPTO_CERTIFICATE_CHAIN, reason=f"no issuer known for {certificate.subject}")
    for issuer in named:
        if certificate.signed_by(issuer.public):
            return issuer
    raise Refused(Code.CRYPTO_CERTIFICATE_SIGNATURE, subject=certificate.subject)


def _keys_agree(certificate: Certificate, issuer: Certificate) -> bool:
    told = certificate.issuer_key_id
    return told is None or issuer.key_id is None or told == issuer.key_id


def _is_valid(certificate: Certificate, at: datetime) -> bool:
    return certificate.start <= at <= certificate.end


def _need_valid(certificate: Certificate, at: datetime) -> None:
    if not _is_valid(certificate, at):
        raise Refused(
            Code.CRYPTO_CERTIFICATE_DATE,
            subject=certificate.subject,
            at=at.isoformat(timespec="seconds"),
            start=certificate.start.isoformat(timespec="seconds"),
            end=certificate.end.isoformat(timespec="seconds"),
        )


def _need_may_issue(issuer: Certificate, *, authorities_below: int) -> None:
    if not (issuer.is_authority and issuer.may_sign_certificates):
        raise Refused(Code.CRYPTO_CERTIFICATE_CHAIN, reason=f"{issuer.subject} may not issue certificates")
    if issuer.path_length is not None and authorities_below > issuer.path_length:
        raise Refused(Code.CRYPTO_CERTIFICATE_CHAIN, reason=f"too many authorities below {issuer.subject}")
