"""Incidents that custody opens by itself: what is missing, what is in doubt, what is overdue (K6, K7, K9)."""

from __future__ import annotations

from collections.abc import Iterable

from sheka.office.incidents.actions.report_incident import report_incident
from sheka.office.staff.actors import Actor
from sheka.systems.custody.models import Carrier

LOST, LOST_PSAM, VARIANCE = "lost_carrier", "lost_psam", "count_variance"
MOST = 50
"""An incident names so many things; a larger loss says in its text that there are more."""


def report(actor: Actor, kind: str, carriers: Iterable[Carrier], about: str) -> str:
    """Open an incident about these carriers, told upwards at once; its number."""
    subjects = [
        f"{word}:{carrier.serial}"
        for carrier in carriers
        for word in (("psam", "carrier") if carrier.kind == "psam" else ("carrier",))
    ]
    named = subjects[:MOST]
    if len(subjects) > MOST:
        about = f"{about}（共 {len(subjects)} 项，其余见登记簿 / {len(subjects)} in all, the others in the register）"
    return str(report_incident(actor, kind=kind, subject=named, about=about).number)
