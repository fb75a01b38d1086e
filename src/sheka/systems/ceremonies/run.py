"""What an effect has in hand while somebody takes a step: the ceremony, the seat, what was given, the machine (K6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.actions.carry_out import carry_out
from sheka.office.staff.actors import Actor
from sheka.systems.ceremonies.models import Ceremony, Seat
from sheka.systems.ceremonies.rehearsals import rehearsal_machine
from sheka.systems.ceremonies.scripts import PLAN, RESTORE
from sheka.systems.keys.machines import machine_of


def device_of(ceremony: Ceremony) -> EncryptionMachine:
    """The organisation's machine; of a rehearsal its test machine."""
    if ceremony.rehearsal:
        return rehearsal_machine(ceremony.number, new=ceremony.kind == RESTORE)
    return machine_of(ceremony.organisation_id)


@dataclass
class Run:
    """`given`: what the person typed or the browser sealed. Effects read and change `facts`."""

    actor: Actor
    ceremony: Ceremony
    seat: Seat
    given: Mapping[str, str]
    step: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.step = self.ceremony.step_now

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ceremony.facts
        return found

    @cached_property
    def device(self) -> EncryptionMachine:
        """The machine, and it is the one that was checked. Raises Refused(CEREMONY_OTHER_MACHINE)."""
        machine = device_of(self.ceremony)
        expected = self.facts.get("fingerprint", "")
        if expected and machine.describe().fingerprint != expected:
            raise Refused(Code.CEREMONY_OTHER_MACHINE)
        return machine

    @property
    def process(self) -> Actor:
        """Who carries out what the key system does in this ceremony: no person alone, and audited by its number."""
        return Actor.process(self.ceremony.key, self.ceremony.organisation_id)

    @property
    def proposal_id(self) -> int:
        """The request that is carried out. Only a rehearsal has none."""
        found = self.ceremony.proposal_id
        assert found is not None
        return found

    def carry_out_plan(self) -> None:
        """The request that asked for this ceremony is done: it was held for what happens in this step."""
        if not self.ceremony.rehearsal:
            carry_out(self.process, proposal_id=self.proposal_id, kind=PLAN)

    @property
    def custodians(self) -> list[str]:
        """The custodians' seats in their order."""
        return [seat.key for seat in self.ceremony.seats.all() if seat.part == "custodian"]

    @property
    def threshold(self) -> int:
        """How many custodians it takes; all of them where the plan says nothing."""
        return int(self.ceremony.asked.get("threshold") or len(self.custodians))

    @property
    def payload(self) -> dict[str, Any]:
        """What was approved; of a rehearsal what its plan says."""
        found: dict[str, Any] = self.ceremony.proposal.payload if self.ceremony.proposal else self.ceremony.asked
        return found

    def need(self, name: str) -> str:
        """Raises Refused(CEREMONY_GIVEN)."""
        text = self.given.get(name, "").strip()
        if not text:
            raise Refused(Code.CEREMONY_GIVEN, field=name)
        return text

    def need_bytes(self, name: str, length: int = 0) -> bytes:
        """Hexadecimal. Raises Refused(CEREMONY_GIVEN)."""
        try:
            found = bytes.fromhex(self.need(name))
        except ValueError:
            raise Refused(Code.CEREMONY_GIVEN, field=name) from None
        if length and len(found) != length:
            raise Refused(Code.CEREMONY_GIVEN, field=name)
        return found
