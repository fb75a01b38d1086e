"""The certificates of the machines on the page of the system's health (K4)."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.office.operations.health.checks import GOOD, NOTHING, STOP, WAIT, Check, checks
from sheka.systems.keys.models import Machine

TITLE = Term("加密机证书", "Certificates of machines")
SOON = 30
"""Days left from which an administrator is to watch; the notices to the key officers begin earlier."""


@checks("certificates", TITLE)
def certificates() -> Iterator[Check]:
    """One line for each machine of the node: until when it may do production work."""
    rows = {row.organisation_id: row for row in Machine.objects.select_related("organisation")}
    for entry in settings.NODE.machines:
        row = rows.get(entry.organisation)
        title = Term(f"{TITLE.zh} {entry.name}", f"{TITLE.en}: {entry.name}")
        yield Check(f"certificate-{entry.name}", title, *_told(row))


def _told(row: Machine | None) -> tuple[str, Term, Term]:
    """(state, what is so, what to do)."""
    if row is None or row.production_until is None:
        text = Term("没有登记有效证书", "no certificate in force is registered")
        if settings.NODE.demo:
            return WAIT, text, NOTHING
        return (
            STOP,
            text,
            Term("登记证书并经审批后方可生产。", "Register it and have it approved; until then no production."),
        )
    left = row.days_left(timezone.localdate()) or 0
    until = row.production_until.isoformat()
    if left < 0:
        text = Term(f"{row.certificate} 已于 {until} 到期", f"{row.certificate} ended on {until}")
        return STOP, text, Term("续期证书并经审批。", "Renew the certificate and have that approved.")
    text = Term(
        f"{row.certificate} 有效至 {until}，还剩 {left} 天", f"{row.certificate} until {until}, {left} days left"
    )
    todo = Term("尽快续期证书。", "Renew the certificate soon.") if left <= SOON else NOTHING
    return WAIT if left <= SOON else GOOD, text, todo
