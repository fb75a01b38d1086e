"""What an incident does to a carrier: nobody reads it in, hands it over or writes on it until it is thawed (K9)."""

from __future__ import annotations

from sheka.office.incidents.freezing import Thing, freezes
from sheka.office.staff.actors import Actor
from sheka.systems.custody.actions.freeze_carrier import freeze_carrier, thaw_carrier
from sheka.systems.custody.labels import KINDS, STATES
from sheka.systems.custody.models import Carrier

MOST = 20


@freezes("carrier")
class FreezeCarrier:
    """A carrier by its serial, in the register of the organisation that keeps the incident."""

    @staticmethod
    def freeze(actor: Actor, subject: str, incident: str) -> str:
        row = freeze_carrier(actor, subject, incident)
        return f"{KINDS[row.kind].zh} {row.serial}：{STATES[row.state].zh} / {row.serial}: {STATES[row.state].en}"

    @staticmethod
    def thaw(actor: Actor, subject: str, incident: str) -> str:
        row = thaw_carrier(actor, subject, incident)
        return f"{KINDS[row.kind].zh} {row.serial}：{STATES[row.state].zh} / {row.serial}: {STATES[row.state].en}"

    @staticmethod
    def find(actor: Actor, text: str) -> list[Thing]:
        rows = Carrier.objects.filter(organisation_id=actor.organisation, serial__startswith=text.strip().upper())
        return [
            Thing(row.serial, str(KINDS[row.kind]), str(STATES[row.state]))
            for row in rows.exclude(state="destroyed")[:MOST]
        ]
