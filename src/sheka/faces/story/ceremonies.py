"""Key ceremonies of the story: everybody of the roster acts, with the own security key (K1, K6)."""

from __future__ import annotations

from functools import partial

from sheka.faces.story.cast import HAIKOU, HAINAN, MINISTRY, acting
from sheka.faces.story.consent import approves, presence
from sheka.faces.story.stage import Stage, must
from sheka.office.approvals.models import Proposal
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.queries import actor_of
from sheka.systems.ceremonies.actions.plan_ceremony import plan_ceremony
from sheka.systems.ceremonies.actions.propose_ceremony import propose_ceremony
from sheka.systems.ceremonies.models import Ceremony
from sheka.systems.ceremonies.playing import Players

OFFICES = {MINISTRY: "ministry", HAINAN: "hainan", HAIKOU: "haikou"}
PIN = "314159"
"""Of the story's transmission key cards."""


def hold(stage: Stage, place: str, kind: str, proposal: Proposal, **asked: str) -> Ceremony:
    """The approver consents; leader, two custodians and witness carry it out, step by step, and sign."""
    office = OFFICES[place]
    approves(stage, f"{office}-keys-2", proposal)
    planned = plan_ceremony(
        acting(f"{office}-keys"),
        kind=kind,
        leader=_account(f"{office}-leader"),
        custodians=[_account(f"{office}-custodian"), _account(f"{office}-custodian-2")],
        witness=_account(f"{office}-auditor"),
        proposal_id=proposal.pk,
        asked=asked,
    )
    held = Players(acting=_actor, presence=partial(presence, stage), pin=PIN).play(planned)
    must(held.state == "done", f"the ceremony {held.number} came to its end")
    return held


def hold_asked_for(stage: Stage, place: str, kind: str, why: str, **asked: str) -> Ceremony:
    """A ceremony that no other system asks for."""
    proposal = propose_ceremony(acting(f"{OFFICES[place]}-keys"), kind=kind, why=why)
    return hold(stage, place, kind, proposal, **asked)


def _account(login: str) -> int:
    return StaffMember.objects.get(login=login).pk


def _actor(staff_id: int) -> Actor:
    return actor_of(StaffMember.objects.select_related("organisation").get(pk=staff_id))
