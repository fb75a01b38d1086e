"""Reading applications and issuers."""

from __future__ import annotations

from django.db.models import QuerySet

from sheka.office.approvals.models import Proposal
from sheka.systems.issuance.materials import APPLY
from sheka.systems.issuance.models import Issuer


def applications_held_by(organisation_code: str) -> QuerySet[Proposal]:
    """Applications to issue as this organisation holds them, the newest first."""
    return Proposal.objects.filter(kind=APPLY, organisation_id=organisation_code)


def issuers_held_by(organisation_code: str) -> QuerySet[Issuer]:
    """Issuer numbers: those it assigned (ministry), or the one that it was given."""
    return Issuer.objects.filter(held_by_id=organisation_code).order_by("number")
