"""Carriers of the story go from hand to hand: both people confirm, each with the own security key (K5, K6)."""

from __future__ import annotations

from sheka.equipment.initialisation.carrier_drawer import IN_NODE, CarrierDrawer
from sheka.faces.story.cast import acting
from sheka.faces.story.consent import presence
from sheka.faces.story.stage import Stage, until
from sheka.systems.custody.actions.begin_hand_over import begin_hand_over, give_hand_over
from sheka.systems.custody.actions.complete_hand_over import complete_hand_over
from sheka.systems.custody.models import HandOver


def drawer(stage: Stage) -> CarrierDrawer:
    """The virtual carriers and PSAMs of the node."""
    return CarrierDrawer(stage.node.folder / IN_NODE)


def hand_over(stage: Stage, serials: list[str], giver: str, receiver: str, purpose: str, reason: str) -> None:
    """`purpose`: "use" and "keep" between colleagues, "send" to the receiver's organisation."""
    gives, takes = acting(giver), acting(receiver)
    within = gives.organisation == takes.organisation
    named = {"receiver": receiver} if within else {"to": takes.organisation}
    row = begin_hand_over(gives, serials=serials, purpose=purpose, reason=reason, **named)
    presence(stage, gives, row.digest)
    give_hand_over(gives, number=row.number, digest=row.digest)

    def arrived() -> bool:
        rows = HandOver.objects.filter(number=row.number, organisation_id=takes.organisation)
        return (rows if within else rows.filter(certified=True)).exists()

    until(arrived, "the hand-over at the receiver, its carriers issued by the ministry")
    presence(stage, takes, row.digest)
    complete_hand_over(takes, number=row.number, digest=row.digest)
