"""Hand-overs at one's own organisation: what waits, what was (K6)."""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.systems.custody.ledger import hand_over_digest, moment
from sheka.systems.custody.models import HandOver
from sheka.systems.custody.queries.carriers import may_see

HAND_OVER = Term("交接单", "hand-over")


def hand_overs(actor: Actor) -> QuerySet[HandOver]:
    """The hand-overs of the actor's organisation, the newest first. `receiver_called`: the name of who was named to
    receive, where this organisation can see it; else None.
    """
    may_see(actor)
    named = StaffMember.objects.filter(login=OuterRef("receiver"), organisation_id=OuterRef("recipient"))
    rows = HandOver.objects.filter(organisation_id=actor.organisation).select_related("giver", "entrustment__party")
    return rows.annotate(receiver_called=Subquery(named.values("name")[:1]))


def hand_over(actor: Actor, number: str) -> HandOver:
    """Raises Refused: PERMISSION_MISSING, CUSTODY_UNKNOWN."""
    return _found(hand_overs(actor).filter(number=number).first(), number)


def locked_hand_over(actor: Actor, number: str) -> HandOver:
    """The same, locked for an action. Raises Refused(CUSTODY_UNKNOWN)."""
    rows = HandOver.objects.select_for_update(of=("self",)).filter(organisation_id=actor.organisation, number=number)
    return _found(rows.first(), number)


def must_be_read(row: HandOver, digest: str) -> None:
    """What was confirmed is what stands there. Raises Refused(CUSTODY_STALE)."""
    if not digest == row.digest == hand_over_digest(row):
        raise Refused(Code.CUSTODY_STALE, number=row.number)


def must_be_running(row: HandOver) -> None:
    """Raises Refused(HAND_OVER_EXPIRED); one by courier is late, but does not lapse while its bag is on the way."""
    if row.expires_at < timezone.now() and not (row.courier and row.state == "given"):
        raise Refused(Code.HAND_OVER_EXPIRED, number=row.number, at=moment(row.expires_at))


def _found(row: HandOver | None, number: str) -> HandOver:
    if row is None:
        raise Refused(Code.CUSTODY_UNKNOWN, what=HAND_OVER, number=number)
    return row
