"""Ceremonies in tests: a roster of people, an approved request, a ceremony played through its real actions."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.approvals import decided, present

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.approvals.models import Proposal
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.queries import actor_of
from sheka.systems.ceremonies.actions.plan_ceremony import plan_ceremony
from sheka.systems.ceremonies.actions.propose_ceremony import propose_ceremony
from sheka.systems.ceremonies.models import Ceremony
from sheka.systems.ceremonies.playing import Players
from sheka.systems.keys.actions.propose_generation import propose_generation


@dataclass
class Office:
    """The people of one organisation who take part: two key officers, an approver, custodians, an auditor."""

    proposer: Actor
    approver: Actor
    leader: Actor
    custodians: list[Actor]
    witness: Actor

    def roster(self, custodians: int = 2) -> dict[str, object]:
        """The arguments of a plan."""
        return {
            "leader": self.leader.staff_id,
            "custodians": [actor.staff_id for actor in self.custodians[:custodians]],
            "witness": self.witness.staff_id,
        }


def office_of(appoint, place: str, custodians: int = 3) -> Office:
    """New people of an organisation; `appoint` is the fixture."""
    return Office(
        proposer=appoint(f"{place}-officer", place, "key_officer"),
        approver=appoint(f"{place}-approver", place, "approver"),
        leader=appoint(f"{place}-leader", place, "key_officer"),
        custodians=[appoint(f"{place}-custodian-{n}", place, "custodian") for n in range(1, custodians + 1)],
        witness=appoint(f"{place}-auditor", place, "auditor"),
    )


def approved_generation(office: Office, names=("IRK",), algorithm: Algorithm = Algorithm.SM4, version=1) -> Proposal:
    """Generation of these keys, put forward and approved."""
    proposal = propose_generation(office.proposer, algorithm=algorithm, version=version, names=list(names))
    decided(office.approver, proposal)
    return proposal


def approved_plan(office: Office, kind: str) -> Proposal:
    """A ceremony of a machine or of a carrier, put forward and approved."""
    proposal = propose_ceremony(office.proposer, kind=kind, why="年度安排")
    decided(office.approver, proposal)
    return proposal


def planned(office: Office, kind: str, proposal: Proposal | None = None, custodians: int = 2, **asked) -> Ceremony:
    """A ceremony of this kind for the office's people; without a request a rehearsal."""
    return plan_ceremony(
        office.proposer,
        kind=kind,
        proposal_id=proposal.pk if proposal else None,
        rehearsal=proposal is None,
        asked=asked,
        **office.roster(custodians),
    )


def players(**given) -> Players:
    """Everybody acts by the own account and proves presence as tests do."""
    return Players(acting=acting, presence=present, **given)


def play(ceremony: Ceremony, **given) -> Ceremony:
    """The whole ceremony; its last state."""
    return players(**given).play(ceremony)


def acting(staff_id: int) -> Actor:
    return actor_of(StaffMember.objects.select_related("organisation").get(pk=staff_id))
