"""The switch on the page of the node's health (S4): whether every message was kept; certificates of the line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509
from django.conf import settings
from django.utils import timezone

from sheka.foundation.terms import Term
from sheka.office.operations.health.checks import GOOD, NOTHING, STILL, STOP, WAIT, Check, checks
from sheka.systems.transactions.acquiring_models import Certificate
from sheka.systems.transactions.queries_of_pulse import dropped_lately

TITLE = Term("交易报文留存", "Journal of the switch")
LINE = Term("交易线路证书", "Certificates of the line")
SOON = 30
"""Days left from which somebody is to act."""


@checks("switch_journal", TITLE)
def journal() -> Iterator[Check]:
    """Purchases go on without it, so it says when it fell behind."""
    lost = dropped_lately()
    if not lost:
        text = Term("近24小时报文全部留存", "every message of the last 24 hours was kept")
        yield Check("switch_journal", TITLE, GOOD, text)
        return
    yield Check(
        "switch_journal",
        TITLE,
        WAIT,
        Term(f"近24小时有 {lost:,} 条报文未能留存", f"{lost:,} messages of the last 24 hours were not kept"),
        Term("查看数据库负载与 logs/switch.log；交易本身不受影响。",
             "Look at the load of the database and at logs/switch.log; the transactions themselves are whole."),
    )  # fmt: skip


@checks("line_certificates", LINE)
def line_certificates() -> Iterator[Check]:
    """The switch's own certificate and authority, and those institutions' certificates that end soon."""
    if settings.NODE.switch.tls is None:
        text = Term("线路不加密，只在本机监听", "no TLS: the switch listens on this machine only")
        yield Check("line_certificates", LINE, STILL, text)
        return
    certificate, _, authority = settings.NODE.line_files
    for name, path in (("switch", certificate), ("authority", authority)):
        title = Term(f"{LINE.zh} {path.name}", f"{LINE.en}: {path.name}")
        try:
            until = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
        except (OSError, ValueError) as error:
            text = Term(f"无法读取：{error}", f"cannot be read: {error}")
            todo = Term("检查[switch.tls]所指的文件。", "Look at the files that [switch.tls] names.")
            yield Check(f"line_certificate_{name}", title, STOP, text, todo)
            continue
        yield Check(f"line_certificate_{name}", title, *_until(until))
    now = timezone.now()
    rows = Certificate.objects.filter(ended_at=None, valid_to__gt=now).select_related("institution")
    last: dict[str, datetime] = {}
    for row in rows:
        last[row.institution.code] = max(row.valid_to, last.get(row.institution.code, row.valid_to))
    for code, until in sorted(last.items()):
        if (until - now).days <= SOON:
            title = Term(f"{LINE.zh} {code}", f"{LINE.en}: {code}")
            yield Check(f"line_certificate_{code}", title, *_until(until))


def _until(until: datetime) -> tuple[str, Term, Term]:
    """(state, what is so, what to do)."""
    left, day = (until - timezone.now()).days, f"{until:%Y-%m-%d}"
    if left < 0:
        text = Term(f"已于 {day} 到期", f"ended on {day}")
        return STOP, text, Term("立即换证，不必停机。", "Put a new one in its place now; nothing has to stop.")
    text = Term(f"有效至 {day}，还剩 {left} 天", f"until {day}, {left} days left")
    todo = Term("尽快换证，不必停机。", "Put a new one in its place soon; nothing has to stop.")
    return (WAIT, text, todo) if left <= SOON else (GOOD, text, NOTHING)
