"""What the clock does for keys: consignments follow their carriers, certificates that end are told of (K2, K4)."""

from __future__ import annotations

from sheka.office.jobs.registry import periodic
from sheka.office.staff.actors import Actor
from sheka.systems.keys.actions.follow_consignments import follow_carriers
from sheka.systems.keys.actions.warn_of_certificates import warn_of_certificate, warning_due
from sheka.systems.keys.consignments import follow
from sheka.systems.keys.models import Consignment, Machine
from sheka.systems.keys.states import ON_THE_WAY


@periodic("keys.consignments", cron="* * * * *")
def consignments() -> None:
    """Where a carrier went on since the last turn, its consignment goes on."""
    rows = Consignment.objects.filter(state__in=ON_THE_WAY).exclude(carrier="").order_by("held_by_id", "pk")
    behind = {found.held_by_id for found in rows if follow(Actor.process("keys", found.held_by_id), found)}
    for code in sorted(behind):
        follow_carriers(Actor.process("keys", code))


@periodic("keys.certificates", cron="10 * * * *")
def certificates() -> None:
    """90, 30 and 7 days before a certificate ends, and when it has ended."""
    for row in Machine.objects.exclude(production_until=None).order_by("pk"):
        if warning_due(row) is not None:
            warn_of_certificate(Actor.process("keys", row.organisation_id))
