"""Record an exercise of an emergency plan (K9)."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.incidents.models import DRILL_RESULTS, Drill
from sheka.office.incidents.plans import kind_named, plan_in_force
from sheka.office.incidents.work import DRILL
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.office.work.items import close_work


@action(Permission.INCIDENT_PLAN)
def record_drill(
    actor: Actor,
    *,
    kind: str,
    held_on: date,
    led_by: str,
    people: str,
    scenario: str,
    result: str,
    measures: str = "",
) -> Drill:
    """`result`: passed, gaps or failed; without `passed` the measures are named. Its paper is kept as a document.

    Raises Refused: INCIDENT_KIND, INCIDENT_DRILL_FIELD.
    """
    plan = plan_in_force(actor.organisation, kind_named(kind).name, held_on)
    said = {"led_by": led_by.strip(), "people": people.strip(), "scenario": scenario.strip()}
    measures = measures.strip()
    _must_be_drill(held_on, said, result, measures)
    made = Drill.objects.create(
        organisation_id=actor.organisation,
        kind=kind,
        plan_version=plan.version,
        held_on=held_on,
        **said,
        result=result,
        measures=measures,
        recorded_by=actor.name,
        recorded_at=timezone.now(),
    )
    close_work(actor, DRILL, f"plan:{kind}", organisation=actor.organisation)
    record(actor, "incident.drill", made.subject, kind=kind, held_on=held_on, result=result, version=plan.version)
    return made


def _must_be_drill(held_on: date, said: dict[str, str], result: str, measures: str) -> None:
    """Raises Refused(INCIDENT_DRILL_FIELD)."""
    wrong = {
        Term("日期", "date"): held_on > timezone.localdate(),
        Term("负责人", "who led it"): not 2 <= len(said["led_by"]) <= 80,
        Term("参加人员", "who took part"): not 2 <= len(said["people"]) <= 400,
        Term("情景", "scenario"): not 5 <= len(said["scenario"]) <= 4000,
        Term("结果", "result"): result not in DRILL_RESULTS,
        Term("改进措施", "measures"): len(measures) > 4000 or (result != "passed" and len(measures) < 5),
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            raise Refused(Code.INCIDENT_DRILL_FIELD, field=field)
