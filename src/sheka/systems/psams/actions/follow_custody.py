"""What custody and the switch know of PSAMs enters their own life: lost, destroyed, elsewhere, alarmed (K8, K9)."""

from __future__ import annotations

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.incidents.actions.report_incident import report_incident
from sheka.office.incidents.models import Incident
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.models import Carrier
from sheka.systems.psams.actions.place_psam import leave_terminal
from sheka.systems.psams.ledger import KIND, keeper, lock_psam, move, psam_carriers, tell
from sheka.systems.psams.models import Psam
from sheka.systems.psams.states import AT_A_TERMINAL
from sheka.systems.transactions.actions.bind_psam import put_in_service, take_alarms
from sheka.systems.transactions.actions.blocks import freeze_subject
from sheka.systems.transactions.models import PsamAlarm

ELSEWHERE = ("away", "in_transit")
GONE = ("lost", "destroyed")


@action(Permission.PSAM_KEEP)
def follow_custody(actor: Actor) -> int:
    """Bring the register of PSAMs up to what custody knows; the number of PSAMs that changed.

    A new carrier is entered. What was reported lost is out of service at once and on the block list by its incident.
    """
    changed = 0
    known = {row.serial: row.state for row in Psam.objects.filter(organisation_id=actor.organisation)}
    for carrier in psam_carriers(actor):
        if carrier.serial not in known or _differs(known[carrier.serial], carrier):
            changed += _follow(actor, carrier)
    record(actor, "psams.followed", f"psams:{actor.organisation}", changed=changed)
    return changed


@action(Permission.PSAM_KEEP)
def take_switch_alarms(actor: Actor) -> list[Incident]:
    """A PSAM whose counter went back, or that spoke from another terminal: an incident for each, told up the tree."""
    made = []
    for alarm in take_alarms(keeper(actor)):
        what = [_what(alarm, "zh"), _what(alarm, "en")]
        psam = lock_psam(actor, alarm.psam) if _is_here(actor, alarm.psam) else None
        if psam is not None:
            tell(actor, psam, "alarm", what=what)
        subjects = [f"terminal:{alarm.terminal.number}", f"psam:{alarm.psam}"]
        made.append(report_incident(actor, kind="other", subject=subjects, about="\n".join(what), severity=2))
    record(actor, "psams.alarms_reported", f"psams:{actor.organisation}", count=len(made))
    return made


def _differs(state: str, carrier: Carrier) -> bool:
    if carrier.state in GONE:
        return state != carrier.state
    if carrier.state in ELSEWHERE:
        return state in ("blank", "loaded")
    return state in ("away", "lost")


def _follow(actor: Actor, carrier: Carrier) -> int:
    psam = lock_psam(actor, carrier.serial)
    if not _differs(psam.state, carrier):
        return 1
    if carrier.state == "lost":
        if psam.state in AT_A_TERMINAL:
            put_in_service(keeper(actor), psam=psam.serial, active=False)
        freeze_subject(actor, kind=KIND, subject=psam.serial, incident="", reason="报失 reported lost")
        move(actor, psam, "lose")
    elif carrier.state == "destroyed":
        leave_terminal(psam)
        move(actor, psam, "destroy")
    elif carrier.state in ELSEWHERE:
        move(actor, psam, "leave")
    elif psam.state == "lost":
        move(actor, psam, "find")
    else:
        psam.keys = carrier.content
        move(actor, psam, "arrive_loaded" if carrier.content else "arrive", "arrive")
    return 1


def _is_here(actor: Actor, serial: str) -> bool:
    return psam_carriers(actor).filter(serial=serial).exists()


def _what(alarm: PsamAlarm, language: str) -> str:
    terminal, times = alarm.terminal.number, alarm.times
    if language == "zh":
        if alarm.kind == "counter":
            return (
                f"PSAM卡{alarm.psam}在终端{terminal}的交易序号应从{alarm.expected}起，实为{alarm.got}，"
                f"共{times}次，疑似复制"
            )
        return f"PSAM卡{alarm.psam}出现在未绑定的终端{terminal}，共{times}次"
    if alarm.kind == "counter":
        return (
            f"The PSAM {alarm.psam} counted {alarm.got} in the terminal {terminal} where {alarm.expected} or more was"
            f" due, {times} times: it may have been copied"
        )
    return f"The PSAM {alarm.psam} spoke {times} times from the terminal {terminal}, to which it is not bound"
