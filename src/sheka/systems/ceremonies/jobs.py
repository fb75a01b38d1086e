"""What the clock does for ceremonies: plans lapse, and what a rehearsal left behind goes (K6)."""

from __future__ import annotations

from sheka.office.jobs.registry import periodic
from sheka.systems.ceremonies.actions.abort_ceremony import expire_due
from sheka.systems.ceremonies.sweep import sweep_rehearsals


@periodic("ceremonies.clock", cron="*/5 * * * *")
def clock() -> None:
    """Every five minutes."""
    expire_due()
    sweep_rehearsals()
