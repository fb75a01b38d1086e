"""The PSAM in a terminal, as the switch holds the terminal to it (K8). Called by the PSAM's own life (psams)."""

from __future__ import annotations

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.models import PsamAlarm, Terminal, TerminalPsam


@action(Permission.PSAM_BIND)
def bind_psam(actor: Actor, *, terminal: str, psam: str) -> TerminalPsam:
    """Put a PSAM into a registered terminal; it serves there when it is activated.

    Raises Refused: TERMINAL_UNKNOWN, TERMINAL_NOT_ACTIVE (closed), TERMINAL_HAS_PSAM, PSAM_IN_TERMINAL,
    ORGANISATION_OUT_OF_REACH.
    """
    found = Terminal.objects.select_for_update(of=("self",)).select_related("institution").filter(number=terminal)
    row = found.first()
    if row is None:
        raise Refused(Code.TERMINAL_UNKNOWN, terminal=terminal)
    actor.must_act_for(row.institution.organisation_id)
    if "closed" in (row.state, row.institution.state):
        raise Refused(Code.TERMINAL_NOT_ACTIVE)
    held = TerminalPsam.objects.filter(terminal=row).first()
    if held is not None:
        raise Refused(Code.TERMINAL_HAS_PSAM, terminal=terminal, psam=held.psam)
    elsewhere = TerminalPsam.objects.filter(psam=psam).select_related("terminal").first()
    if elsewhere is not None:
        raise Refused(Code.PSAM_IN_TERMINAL, psam=psam, terminal=elsewhere.terminal.number)
    made = TerminalPsam.objects.create(terminal=row, psam=psam, since=timezone.now())
    record(actor, "terminal.psam_bound", f"terminal:{terminal}", psam=psam)
    return made


@action(Permission.PSAM_BIND)
def put_in_service(actor: Actor, *, psam: str, active: bool) -> TerminalPsam:
    """The PSAM serves in its terminal, or no longer. Raises Refused: TERMINAL_HAS_NO_PSAM."""
    row = _bound(actor, psam)
    row.active, row.since = active, timezone.now()
    row.save(update_fields=["active", "since"])
    record(actor, "terminal.psam_in_service", f"terminal:{row.terminal.number}", psam=psam, active=active)
    return row


@action(Permission.PSAM_BIND)
def release_psam(actor: Actor, *, psam: str) -> str:
    """Take a PSAM out of its terminal; the terminal's number. Raises Refused: TERMINAL_HAS_NO_PSAM."""
    row = _bound(actor, psam)
    number = row.terminal.number
    row.delete()
    record(actor, "terminal.psam_released", f"terminal:{number}", psam=psam)
    return number


@action(Permission.PSAM_BIND)
def take_alarms(actor: Actor) -> list[PsamAlarm]:
    """What the switch found wrong and nobody was told of yet, at terminals of this organisation: told now."""
    rows = PsamAlarm.objects.filter(told_at=None, terminal__institution__organisation_id=actor.organisation)
    found = list(rows.select_related("terminal", "terminal__institution").order_by("pk")[:200])
    PsamAlarm.objects.filter(pk__in=[row.pk for row in found]).update(told_at=timezone.now())
    record(actor, "psam.alarms_taken", f"psams:{actor.organisation}", count=len(found))
    return found


def _bound(actor: Actor, psam: str) -> TerminalPsam:
    rows = TerminalPsam.objects.select_for_update(of=("self",)).select_related("terminal__institution")
    row = rows.filter(psam=psam).first()
    if row is None:
        raise Refused(Code.TERMINAL_HAS_NO_PSAM, psam=psam)
    actor.must_act_for(row.terminal.institution.organisation_id)
    return row
