"""The jobs of the audit: verifying the chain on request, exporting its head by the clock."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from sheka.foundation.refusals import Refused
from sheka.office.audit.heads import export_head, own_heads, signing_machine
from sheka.office.audit.trail import head, record
from sheka.office.audit.verify import Verdict, verify
from sheka.office.jobs.progress import Progress
from sheka.office.jobs.registry import job, periodic
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission

SHOWN = 200
log = logging.getLogger("sheka.audit")


@job(
    "audit.verify", title_zh="核验审计链", title_en="Verification of the audit chain", permission=Permission.AUDIT_READ
)
def verify_chain(actor: Actor, progress: Progress) -> dict[str, Any]:
    """Recompute the chain and compare it with the exported heads; that it was done and what was found is audited."""

    def tell(done: int, total: int) -> None:
        progress(done, total, ("核验审计记录", "verifying audit rows"))

    with signing_machine() as machine:
        trusted = frozenset({machine.public_key()})
    verdict = verify(own_heads(), trusted, tell)
    record(actor, "audit.verified", "audit:chain", **told_of(verdict, most=20))
    return told_of(verdict, most=SHOWN)


def told_of(verdict: Verdict, *, most: int) -> dict[str, Any]:
    """A verdict as plain JSON."""
    return {
        "holds": verdict.holds,
        "rows": verdict.rows,
        "last": verdict.last[0],
        "hash": verdict.last[1].hex(),
        "heads": verdict.heads,
        "anchored": verdict.anchored,
        "count": len(verdict.findings),
        "more": verdict.more,
        "milliseconds": round(verdict.seconds * 1000),
        "findings": [asdict(finding) for finding in verdict.findings[:most]],
    }


@periodic("audit.head", cron="*/10 * * * *")
def export() -> None:
    """A signed head every ten minutes, when there is something new."""
    export_head()


@periodic("audit.daily", cron="0 16 * * *")
def say_head() -> None:
    """At midnight in Shanghai the log of the worker says where the chain is: a log sent away is a witness."""
    try:
        export_head(again=True)
    except Refused as refusal:
        log.error("the head of the audit chain could not be exported: %s", refusal)
    sequence, hash_ = head()
    log.info("audit head %s %s", sequence, hash_.hex())
