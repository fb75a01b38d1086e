"""What an incident stops of PSAMs (K9)."""

from __future__ import annotations

from sheka.office.incidents.freezing import MOST, Thing, freezes
from sheka.office.staff.actors import Actor
from sheka.systems.psams.actions.stop_psam import freeze_psam, thaw_psam
from sheka.systems.psams.labels import STATES
from sheka.systems.psams.queries import psams_of


@freezes("psam")
class FreezePsam:
    """Out of service and on the block list."""

    @staticmethod
    def freeze(actor: Actor, subject: str, incident: str) -> str:
        return freeze_psam(actor, serial=subject, incident=incident)

    @staticmethod
    def thaw(actor: Actor, subject: str, incident: str) -> str:
        return thaw_psam(actor, serial=subject, incident=incident)

    @staticmethod
    def find(actor: Actor, text: str) -> list[Thing]:
        rows = psams_of(actor).filter(serial__startswith=text)[:MOST]
        return [Thing(row.serial, STATES[row.standing].zh, row.terminal) for row in rows]
