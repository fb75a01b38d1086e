"""Which plans were exercised, and which are overdue for it (K9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from sheka.office.incidents.models import Drill
from sheka.office.incidents.plans import InForce, Kind, kinds, plan_in_force, rule


@dataclass(frozen=True, slots=True)
class PlanAndDrill:
    """A kind of incident with the plan that counts today and its last drill. `due_on`: None for a default plan."""

    kind: Kind
    plan: InForce
    last: Drill | None
    due_on: date | None

    @property
    def overdue(self) -> bool:
        return self.due_on is not None and self.due_on < timezone.localdate()

    @property
    def near(self) -> bool:
        """Due within the days of the policy, or overdue."""
        return self.due_on is not None and self.due_on <= timezone.localdate() + timedelta(
            days=rule("drill_notice_days")
        )


def plans_and_drills(code: str) -> list[PlanAndDrill]:
    """Every kind of incident, as an organisation is prepared for it today.

    An own plan is due for a drill `drill_days` after its last one, or after it first came into force.
    """
    today, found = timezone.localdate(), []
    last: dict[str, Drill] = {}
    for drill in Drill.objects.filter(organisation_id=code).order_by("held_on", "pk"):
        last[drill.kind] = drill
    for kind in kinds().values():
        plan, drill = plan_in_force(code, kind.name, today), last.get(kind.name)
        since = drill.held_on if drill else plan.since
        due = since + timedelta(days=rule("drill_days")) if since and not plan.is_default else None
        found.append(PlanAndDrill(kind, plan, drill, due))
    return found
