"""An incident stops a PSAM, and lets it go: out of service, on the block list, looked at again before it works (K9)."""

from __future__ import annotations

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.incidents.actions.report_incident import report_incident
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.actions.report_lost import report_lost
from sheka.systems.psams.actions.place_psam import leave_terminal
from sheka.systems.psams.ledger import KIND, keeper, lock_psam, move, psam_carriers
from sheka.systems.psams.models import Psam
from sheka.systems.psams.states import AT_A_TERMINAL, PSAM
from sheka.systems.transactions.actions.bind_psam import put_in_service
from sheka.systems.transactions.actions.blocks import freeze_subject, thaw_subject
from sheka.systems.transactions.queries_of_blocks import terminal_of

REASON = "安全事件 incident {incident}"


@action(Permission.PSAM_KEEP)
def freeze_psam(actor: Actor, *, serial: str, incident: str) -> str:
    """The switch refuses it within seconds, wherever it is. One that is not in this register is barred all the same.

    Returns the sentence for the incident's page.
    """
    block = freeze_subject(actor, kind=KIND, subject=serial, incident=incident, reason=REASON.format(incident=incident))
    if psam_carriers(actor).filter(serial=serial).exists():
        psam = lock_psam(actor, serial)
        if psam.state in AT_A_TERMINAL:
            put_in_service(keeper(actor), psam=serial, active=False)
        if "freeze" in PSAM.verbs(psam.state) and psam.state != "frozen":
            move(actor, psam, "freeze", incident=incident)
    record(actor, "psam.frozen", f"psam:{serial}", incident=incident)
    return f"停用名单第{block.pk}项：PSAM卡{serial}。Entry {block.pk} of the block list: PSAM {serial}."


@action(Permission.PSAM_KEEP)
def thaw_psam(actor: Actor, *, serial: str, incident: str) -> str:
    """It is off the block list of this incident. One that was frozen counts as returned: its keys are erased."""
    lifted = thaw_subject(
        keeper(actor), kind=KIND, subject=serial, incident=incident, reason=REASON.format(incident=incident)
    )
    psam = Psam.objects.select_for_update(of=("self",)).select_related("organisation")
    row = psam.filter(serial=serial, organisation_id=actor.organisation, state="frozen").first()
    if row is not None:
        leave_terminal(row)
        move(actor, row, "thaw", incident=incident)
    record(actor, "psam.thawed", f"psam:{serial}", incident=incident)
    return f"已解除{lifted}项停用。{lifted} entries of the block list lifted."


@action(Permission.CARRIER_REPORT_LOSS)
def report_psam_lost(actor: Actor, *, serial: str, how: str) -> Psam:
    """Nobody has it: custody stops the carrier, an incident is reported up the tree, and by its plan the switch refuses
    the PSAM and its terminal, all in one transaction.

    Raises Refused: PSAM_NOT_HERE, CUSTODY_ENTRY, STATE_FORBIDS.
    """
    psam = lock_psam(actor, serial)
    PSAM.after(psam.state, "lose")
    subjects = [psam.subject, *([f"terminal:{psam.terminal}"] if psam.terminal else [])]
    made = report_incident(actor, kind="lost_psam", subject=subjects, about=how)
    report_lost(actor, serial, how, incident=made.number)
    if terminal_of(serial) is not None:
        put_in_service(keeper(actor), psam=serial, active=False)
    psam.refresh_from_db()  # the plan may have frozen it
    move(actor, psam, "lose")
    record(actor, "psam.lost", psam.subject, incident=made.number)
    return psam
