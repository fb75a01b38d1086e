"""What a subordinate tells of a PSAM that went to it: those above know its state and where it is (K8)."""

from __future__ import annotations

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.psams.ledger import lock_psam, psam_carriers
from sheka.systems.psams.models import Psam


@action(Permission.PSAM_VIEW)
def take_word(
    actor: Actor, *, sender: str, serial: str, state: str, region: str, terminal: str, institution: str
) -> Psam | None:
    """Keep what was told on our own row, when the PSAM went through our hands and is not here."""
    carrier = psam_carriers(actor).filter(serial=serial).first()
    if carrier is None or carrier.at == actor.organisation:
        record(actor, "psam.word_heard", f"psam:{serial}", sender=sender, kept=False)
        return None
    psam = lock_psam(actor, serial)
    psam.told_state, psam.region, psam.terminal, psam.institution = state, region, terminal, institution
    psam.save(update_fields=["told_state", "region", "terminal", "institution"])
    record(actor, "psam.word_heard", psam.subject, sender=sender, state=state)
    return psam
