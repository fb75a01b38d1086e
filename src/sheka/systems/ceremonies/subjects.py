"""The minutes of a ceremony are kept with it: whoever may see it may see that they are there."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.documents.subjects import subject
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.ceremonies.queries import ceremony_numbered


@subject(
    "ceremony",
    Term("密钥仪式", "Key ceremony"),
    page=lambda name: ("console:ceremonies_one", (name,)),
    rights=(Permission.CEREMONY_VIEW,),
)
def ceremony(actor: Actor, name: str) -> None:
    """Raises Refused: PERMISSION_MISSING, CEREMONY_UNKNOWN."""
    actor.require(Permission.CEREMONY_VIEW)
    ceremony_numbered(actor, name)
