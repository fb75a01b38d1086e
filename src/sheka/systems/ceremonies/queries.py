"""Reading ceremonies: those of the reader's organisation, one of them, whose turn it is."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.models import Proposal
from sheka.office.staff.actors import Actor
from sheka.systems.ceremonies.models import Act, Ceremony, Seat
from sheka.systems.ceremonies.states import LIVE


def ceremonies_of(actor: Actor) -> QuerySet[Ceremony]:
    """Those of the actor's organisation."""
    return Ceremony.objects.filter(organisation_id=actor.organisation)


def ceremony_numbered(actor: Actor, number: str) -> Ceremony:
    """One of them. Raises Refused(CEREMONY_UNKNOWN)."""
    found = ceremonies_of(actor).select_related("organisation", "proposal").filter(number=number).first()
    if found is None:
        raise Refused(Code.CEREMONY_UNKNOWN, number=number)
    return found


def ceremony_locked(actor: Actor, number: str) -> Ceremony:
    """The same, locked until the end of the transaction. Raises Refused(CEREMONY_UNKNOWN)."""
    rows = ceremonies_of(actor).select_for_update(of=("self",)).select_related("organisation", "proposal")
    found = rows.filter(number=number).first()
    if found is None:
        raise Refused(Code.CEREMONY_UNKNOWN, number=number)
    return found


def acts_of(ceremony: Ceremony) -> list[Act]:
    """What was done and what was refused, in its order."""
    return list(ceremony.acts.select_related("seat"))


def seat_in(ceremony: Ceremony, staff_id: int | None) -> Seat | None:
    """The seat of an account; None for one who only looks on."""
    return ceremony.seats.filter(staff_id=staff_id).first() if staff_id is not None else None


def seats_in_turn(ceremony: Ceremony) -> list[Seat]:
    """Who can act now: the seats of the step in turn that have not acted in it yet; nobody when it is over."""
    if not ceremony.live:
        return []
    acted = ceremony.acts.filter(step=ceremony.position, round=ceremony.round, verdict="done").values("seat_id")
    wanted = ceremony.seats.filter(key__in=ceremony.step_now["seats"]).exclude(pk__in=acted)
    return list(wanted)


def turns_of(actor: Actor) -> list[Ceremony]:
    """The live ceremonies in which it is this person's turn now."""
    live = Ceremony.objects.filter(state__in=LIVE, seats__staff_id=actor.staff_id, organisation_id=actor.organisation)
    return [one for one in live if any(seat.staff_id == actor.staff_id for seat in seats_in_turn(one))]


def carried_out_by(proposal: Proposal) -> Ceremony | None:
    """The live ceremony that carries out a request, or None."""
    return Ceremony.objects.filter(proposal=proposal, state__in=LIVE, rehearsal=False).first()


def to_carry_out(actor: Actor, kinds: set[str]) -> list[Proposal]:
    """Approved requests of these kinds that no live ceremony carries out yet."""
    found = Proposal.objects.filter(organisation_id=actor.organisation, state="approved", kind__in=kinds)
    taken = ceremonies_of(actor).filter(state__in=LIVE, rehearsal=False)
    return list(found.exclude(pk__in=taken.exclude(proposal=None).values("proposal_id")).order_by("made_at"))
