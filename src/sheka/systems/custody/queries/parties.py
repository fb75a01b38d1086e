"""Third parties: the files of what was entrusted to them, their filings (K7)."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.organisations.models import Kind, Organisation
from sheka.office.staff.actors import Actor
from sheka.systems.custody.models import Entrustment, VendorFiling
from sheka.systems.custody.queries.carriers import may_see

WHAT = Term("第三方交接卷", "third-party file")
PARTIES = (Kind.CARD_FACTORY, Kind.PSAM_SUPPLIER, Kind.MACHINE_SUPPLIER, Kind.SECURITY_COMPANY)


def entrustments(actor: Actor) -> QuerySet[Entrustment]:
    """The files of the actor's organisation, the newest first."""
    may_see(actor)
    rows = Entrustment.objects.filter(organisation_id=actor.organisation)
    return rows.select_related("party", "supervisor", "agreement", "plan", "creator")


def entrustment(actor: Actor, number: str) -> Entrustment:
    """Raises Refused: PERMISSION_MISSING, CUSTODY_UNKNOWN."""
    return _found(entrustments(actor).filter(number=number).first(), number)


def locked_entrustment(actor: Actor, number: str) -> Entrustment:
    """The same, locked for an action. Raises Refused(CUSTODY_UNKNOWN)."""
    rows = Entrustment.objects.select_for_update(of=("self",))
    rows = rows.select_related("party", "supervisor", "agreement", "plan")
    return _found(rows.filter(organisation_id=actor.organisation, number=number).first(), number)


def parties(actor: Actor) -> QuerySet[Organisation]:
    """The suppliers and security companies that this node knows and that work today."""
    may_see(actor)
    return Organisation.objects.filter(Organisation.in_force(timezone.localdate()), kind__in=PARTIES).order_by("name")


def filings(actor: Actor) -> QuerySet[VendorFiling]:
    """The filings of suppliers that the actor's organisation has registered."""
    may_see(actor)
    return VendorFiling.objects.filter(organisation_id=actor.organisation).select_related("party")


def _found(row: Entrustment | None, number: str) -> Entrustment:
    if row is None:
        raise Refused(Code.CUSTODY_UNKNOWN, what=WHAT, number=number)
    return row
