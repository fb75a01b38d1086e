"""Incidents that custody opens by itself: what is missing, what is in doubt, what is overdue (K6, K7, K9).

Nobody typed their text, so it stands there in both languages, a line of each: whoever reads it, at whatever level, has
one. What a person said of it follows as it was said.
"""

from __future__ import annotations

from collections.abc import Iterable

from sheka.foundation.terms import Term
from sheka.office.incidents.actions.report_incident import report_incident
from sheka.office.staff.actors import Actor
from sheka.systems.custody.models import Carrier

LOST, LOST_PSAM, VARIANCE = "lost_carrier", "lost_psam", "count_variance"
MOST = 50
"""An incident names so many things; a larger loss says in its text that there are more."""


def report(actor: Actor, kind: str, carriers: Iterable[Carrier], about: Term, said: str = "") -> str:
    """Open an incident about these carriers, told upwards at once; its number. `said`: a person's own words."""
    subjects = [
        f"{word}:{carrier.serial}"
        for carrier in carriers
        for word in (("psam", "carrier") if carrier.kind == "psam" else ("carrier",))
    ]
    named = subjects[:MOST]
    if len(subjects) > MOST:
        zh = f"{about.zh}共 {len(subjects)} 项，其余见登记簿。"
        about = Term(zh, f"{about.en} {len(subjects)} in all, the others are in the register.")
    text = "\n".join(filter(None, (about.zh, about.en, said)))
    return str(report_incident(actor, kind=kind, subject=named, about=text).number)
