"""What of custody documents are kept with: carriers, hand-overs, third-party files, destructions."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.documents.subjects import subject
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody import queries

RIGHTS = (Permission.CARRIER_VIEW,)


@subject(
    "carrier", Term("密钥载体", "Key carrier"), page=lambda name: ("console:custody_carrier", (name,)), rights=RIGHTS
)
def carrier(actor: Actor, name: str) -> None:
    """Whoever sees the register. Raises Refused: PERMISSION_MISSING, CARRIER_UNKNOWN."""
    queries.carrier(actor, name)


@subject(
    "hand_over",
    Term("载体交接", "Hand-over of carriers"),
    page=lambda name: ("console:custody_hand_over", (name,)),
    rights=RIGHTS,
)
def hand_over(actor: Actor, name: str) -> None:
    """Whoever sees the register. Raises Refused: PERMISSION_MISSING, CUSTODY_UNKNOWN."""
    queries.hand_over(actor, name)


@subject(
    "entrustment",
    Term("第三方交接卷", "Third-party file"),
    page=lambda name: ("console:custody_party", (name,)),
    rights=RIGHTS,
)
def entrustment(actor: Actor, name: str) -> None:
    """Whoever sees the register. Raises Refused: PERMISSION_MISSING, CUSTODY_UNKNOWN."""
    queries.entrustment(actor, name)


@subject(
    "carrier_destruction",
    Term("载体销毁", "Destruction of carriers"),
    page=lambda name: ("console:custody_destruction", (name,)),
    rights=RIGHTS,
)
def carrier_destruction(actor: Actor, name: str) -> None:
    """Whoever sees the register. Raises Refused: PERMISSION_MISSING, CUSTODY_UNKNOWN."""
    queries.destruction(actor, name)
