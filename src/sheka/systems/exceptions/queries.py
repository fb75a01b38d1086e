"""Reading exception cases (S10)."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.systems.exceptions.models import ExceptionCase


def cases_of(actor: Actor, *, state: str | None = None) -> QuerySet[ExceptionCase]:
    """The cases of the actor's organisation and those below it, the most urgent first."""
    places = Organisation.objects.filter(path__within=actor.path).values("code")
    rows = ExceptionCase.objects.filter(organisation_id__in=places)
    return rows if state is None else rows.filter(state=state)


def case_numbered(number: str) -> ExceptionCase:
    """One case. Raises Refused(EXCEPTION_UNKNOWN)."""
    try:
        return ExceptionCase.objects.get(number=number)
    except ExceptionCase.DoesNotExist:
        raise Refused(Code.EXCEPTION_UNKNOWN, case=number) from None


def open_subjects(organisation_code: str) -> set[tuple[str, str]]:
    """(subject, reason) of every case that is not closed."""
    rows = ExceptionCase.objects.filter(organisation_id=organisation_code).exclude(state="closed")
    return set(rows.values_list("subject", "reason"))
