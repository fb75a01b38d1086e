"""Documents are kept with exception cases: who may read the case may see that they are there (S10)."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.terms import Term
from sheka.office.documents.subjects import named, subject
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.exceptions.queries import case_read_by, cases_of, disputes_of


def _names(actor: Actor) -> QuerySet[ExceptionCase, str]:
    rows = cases_of(actor) if actor.may(Permission.EXCEPTION_VIEW) else disputes_of(actor)
    return named("exception", rows, "number")


@subject(
    "exception",
    Term("异常交易", "Exception"),
    page=lambda name: ("console:exceptions_one", (name,)),
    rights=(Permission.EXCEPTION_VIEW, Permission.EXCEPTION_DISPUTE),
    names=_names,
)
def exception_named(actor: Actor, name: str) -> ExceptionCase:
    """Raises Refused(EXCEPTION_UNKNOWN)."""
    return case_read_by(actor, name)
