"""Documents are kept with exception cases: who may read the case may see that they are there (S10)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.documents.subjects import subject
from sheka.office.staff.actors import Actor
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.exceptions.queries import case_read_by


@subject("exception", Term("异常交易", "Exception"), page=lambda name: ("console:exceptions_one", (name,)))
def exception_named(actor: Actor, name: str) -> ExceptionCase:
    """Raises Refused(EXCEPTION_UNKNOWN)."""
    return case_read_by(actor, name)
