"""Documents may be kept with a request: who may read the request may see that they are there."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import proposal_read_by, readable_by
from sheka.office.documents.subjects import named, subject
from sheka.office.staff.actors import Actor


def _names(actor: Actor) -> QuerySet[Proposal, str]:
    return named("proposal", readable_by(actor), "pk")


@subject(
    "proposal",
    Term("审批申请", "Request for approval"),
    page=lambda name: ("console:approvals_one", (name,)),
    names=_names,
)
def proposal_named(actor: Actor, name: str) -> Proposal:
    """Raises Refused(APPROVAL_UNKNOWN)."""
    if not name.isdecimal():
        raise Refused(Code.APPROVAL_UNKNOWN, number=name)
    return proposal_read_by(actor, int(name))
