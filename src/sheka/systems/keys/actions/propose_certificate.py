"""Propose the certificate of the own encryption machine, its renewal, or the end of the machine (K4)."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.keys.certificates import CERTIFY, WITHDRAW, machine_row

LEVELS = (1, 2, 3, 4)
MISSING = Term("必填项为空", "a field is empty")
BACKWARDS = Term("有效期截止日早于起始日", "it ends before it begins")
NOT_YET = Term("证书尚未生效", "the certificate is not in force yet")
OVER = Term("证书已到期", "the certificate is over")
LEVEL = Term("安全等级应为一至四级", "the security level is 1 to 4")


@action(Permission.MACHINE_MANAGE)
def propose_certificate(
    actor: Actor,
    *,
    model: str,
    serial: str,
    place: str,
    supplier: str,
    certificate: str,
    level: int,
    valid_from: date,
    valid_until: date,
    document: str = "",
) -> Proposal:
    """A first certificate or a renewal, as it stands on paper; another person approves it.

    `level` is the security level of GM/T 0028, `document` the number of the kept copy. Raises Refused:
    MACHINE_NOT_REGISTERED, MACHINE_CERTIFICATE_FACTS.
    """
    row, today = machine_row(actor.organisation), timezone.localdate()
    texts = {"model": model, "serial": serial, "place": place, "supplier": supplier, "certificate": certificate}
    texts = {name: text.strip() for name, text in texts.items()}
    checks = (
        (not all(texts.values()), MISSING),
        (level not in LEVELS, LEVEL),
        (valid_until < valid_from, BACKWARDS),
        (valid_from > today, NOT_YET),
        (valid_until < today, OVER),
    )
    for wrong, what in checks:
        if wrong:
            raise Refused(Code.MACHINE_CERTIFICATE_FACTS, what=what)
    dates = {"valid_from": valid_from.isoformat(), "valid_until": valid_until.isoformat()}
    payload = {**texts, **dates, "level": level, "document": document.strip(), "fingerprint": row.fingerprint}
    return propose(actor, kind=CERTIFY, subject=row.subject, payload=payload)


@action(Permission.MACHINE_MANAGE)
def propose_withdrawal(actor: Actor, *, reason: str) -> Proposal:
    """The machine goes out of service for good. Raises Refused: KEY_REASON, MACHINE_NOT_REGISTERED."""
    if len(reason.strip()) < 2:
        raise Refused(Code.KEY_REASON)
    row = machine_row(actor.organisation)
    payload = {"serial": row.serial, "fingerprint": row.fingerprint, "reason": reason.strip()}
    return propose(actor, kind=WITHDRAW, subject=row.subject, payload=payload)
