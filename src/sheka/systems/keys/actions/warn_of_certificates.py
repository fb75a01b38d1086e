"""Tell in time that the certificate of an encryption machine ends (K4): 90, 30, 7 days before, and after."""

from __future__ import annotations

from django.utils import timezone

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.notices import notify
from sheka.office.work.queries import able
from sheka.systems.keys.certificates import machine_row
from sheka.systems.keys.models import Machine
from sheka.systems.keys.waiting import certificate_ends

BEFORE = (0, 7, 30, 90)
"""Days left at which everybody who looks after the machine is told; 0: it has ended."""


def warning_due(row: Machine) -> int | None:
    """The stage that was reached and not told yet; None when there is nothing new to tell."""
    left = row.days_left(timezone.localdate())
    if left is None:
        return None
    stage = next((days for days in BEFORE if left < days or (days > 0 and left == days)), None)
    told = row.warned_days
    return stage if stage is not None and (told is None or stage < told) else None


@action(Permission.MACHINE_MANAGE)
def warn_of_certificate(actor: Actor) -> Machine:
    """Notices to key officers and system administrators of the organisation, work for a key officer. Once a stage."""
    row = machine_row(actor.organisation, lock=True)
    stage = warning_due(row)
    if stage is not None:
        row.warned_days = stage
        row.save(update_fields=["warned_days"])
        certificate_ends(actor, row, stage)
        until = row.production_until
        for person in able(Permission.MACHINE_VIEW, actor.organisation):
            notify(
                person.pk,
                "machine.certificate_ends",
                row.subject,
                zh=f"加密机证书 {row.certificate} 于 {until} 到期" if stage else f"加密机证书 {row.certificate} 已到期",
                en=f"Certificate {row.certificate} ends on {until}" if stage else f"{row.certificate} has ended",
            )
    record(actor, "machine.certificate_warned", row.subject, days=stage, until=str(row.production_until))
    return row
