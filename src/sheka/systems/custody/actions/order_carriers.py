"""Order carriers from the ministry: nobody else issues any (K5)."""

from __future__ import annotations

import uuid

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.ledger import MINISTRY, custody_number, must_say
from sheka.systems.custody.models import CarrierOrder, Kind
from sheka.systems.custody.policy import rules
from sheka.systems.custody.states import ORDER
from sheka.systems.custody.waiting import issue_asked

MATTER = "custody.order"


@action(Permission.CARRIER_ORDER)
def order_carriers(actor: Actor, *, kind: str, count: int, purpose: str) -> CarrierOrder:
    """Put an order before the ministry, through the province where a city asks.

    Raises Refused: CUSTODY_ENTRY, CARRIER_ORDER for the ministry itself, and what a proposal refuses.
    """
    must_be_a_kind(kind)
    must_be_a_count(count, rules().most_in_order)
    said = must_say(Term("用途", "What they are for"), purpose)
    place = organisation(actor.organisation)
    if place.code == MINISTRY:
        why = Term("部级自行发放，无需申领", "the ministry issues and needs no order")
        raise Refused(Code.CARRIER_ORDER, order="-", why=why)
    number, approval = custody_number("SL", place), uuid.uuid4()
    made = CarrierOrder.objects.create(
        number=number,
        organisation=place,
        origin=place.code,
        kind=kind,
        count=count,
        purpose=said,
        approval=approval,
        by=actor.name,
        at=timezone.now(),
    )
    payload = {"order": number, "applicant": place.code, "kind": kind, "count": count, "purpose": said}
    propose(actor, kind=MATTER, subject=made.subject, payload=payload, number=approval)
    record(actor, "carrier.ordered", made.subject, kind=kind, count=count)
    return made


@action(Permission.CARRIER_DECIDE)
def approve_order(actor: Actor, proposal: Proposal) -> dict[str, object]:
    """In the transaction of the ministry's approval: the order stands in its register, and a custodian issues it."""
    payload = proposal.payload
    made, _new = CarrierOrder.objects.get_or_create(
        number=payload["order"],
        organisation_id=actor.organisation,
        defaults={
            "origin": proposal.origin,
            "kind": payload["kind"],
            "count": payload["count"],
            "purpose": payload["purpose"],
            "approval": proposal.number,
            "by": proposal.versions.earliest("number").name,
            "at": timezone.now(),
        },
    )
    made.state = ORDER.after(made.state, "approve")
    made.save(update_fields=["state"])
    issue_asked(actor, made)
    record(actor, "carrier.order_approved", made.subject, kind=made.kind, count=made.count)
    return {"order": made.number, "count": made.count}


@action(Permission.CARRIER_VIEW)
def note_order(actor: Actor, proposal: Proposal) -> None:
    """The applicant learns how its order was decided; a copy at the province in between has nothing to note."""
    order = CarrierOrder.objects.select_for_update().filter(
        approval=proposal.number, organisation_id=actor.organisation, state="asked"
    )
    for row in order:
        row.state = ORDER.after(row.state, "approve" if proposal.state == "done" else "refuse")
        row.save(update_fields=["state"])
    record(actor, "carrier.order_outcome", proposal.subject, outcome=proposal.state)


def must_be_a_kind(kind: str) -> None:
    """Raises Refused(CUSTODY_ENTRY)."""
    if kind not in Kind.values:
        raise Refused(
            Code.CUSTODY_ENTRY,
            field=Term("载体种类", "Kind"),
            why=Term(f"没有“{kind}”这种载体", f"there is no kind {kind}"),
        )


def must_be_a_count(count: int, most: int) -> None:
    """Raises Refused(CUSTODY_ENTRY)."""
    if not 1 <= count <= most:
        why = Term(f"应在 1 至 {most} 之间", f"from 1 to {most}")
        raise Refused(Code.CUSTODY_ENTRY, field=Term("数量", "Quantity"), why=why)
