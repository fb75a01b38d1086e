"""Put a new version of an emergency plan before its approver, and into force when it was approved (K9)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from sheka.foundation.canonical import digest
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Proposal
from sheka.office.audit.trail import record
from sheka.office.incidents.models import Plan
from sheka.office.incidents.plans import PlanContent, follow_up_titles, kind_named, plan_in_force, things
from sheka.office.organisations.queries import BUREAUS, organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission, role_titles

PLAN = "incidents.plan"
_LIMITS = {
    "acknowledge_minutes": (1, 24 * 60),
    "contain_minutes": (1, 7 * 24 * 60),
    "cause_hours": (1, 90 * 24),
    "close_days": (1, 366),
}


@action(Permission.INCIDENT_PLAN)
def propose_plan(actor: Actor, *, kind: str, content: PlanContent, valid_from: date) -> Proposal:
    """Freeze a plan's next version for approval.

    Raises Refused: INCIDENT_PLAN_PLACE, INCIDENT_KIND, INCIDENT_PLAN_FIELD, INCIDENT_PLAN_DATE, INCIDENT_PLAN_SAME.
    """
    now = plan_in_force(actor.organisation, kind, timezone.localdate())
    last = last_version(actor.organisation, kind)
    if last is not None and digest(content.plain()) == last.digest:
        raise Refused(Code.INCIDENT_PLAN_SAME)
    payload = {
        "kind": kind,
        "replaces": now.version,
        "valid_from": valid_from.isoformat(),
        "content": content.plain(),
    }
    return propose(actor, kind=PLAN, subject=f"plan:{kind}", payload=payload)


def check_plan(actor: Actor, payload: dict[str, Any]) -> None:
    """What no approver should be asked about. Raises Refused as `propose_plan`."""
    place = organisation(actor.organisation)
    if place.kind not in BUREAUS:
        raise Refused(Code.INCIDENT_PLAN_PLACE, organisation=Term(place.name, place.name_en))
    kind_named(payload["kind"])
    _must_be_plan(PlanContent.of(payload["content"]))
    day, last = _day(payload["valid_from"]), last_version(actor.organisation, payload["kind"])
    if day < timezone.localdate() or (last is not None and day <= last.valid_from):
        raise Refused(Code.INCIDENT_PLAN_DATE)


def enact_plan(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """In the transaction of the last approval: the version before ends on the day on which this one begins.

    A plan that was approved after its day begins today. Raises Refused(INCIDENT_PLAN_DATE) when another version was
    approved meanwhile that begins later.
    """
    row = proposal.payload
    last = last_version(proposal.organisation_id, row["kind"])
    begins = max(date.fromisoformat(row["valid_from"]), timezone.localdate())
    if last is not None:
        if begins <= last.valid_from:
            raise Refused(Code.INCIDENT_PLAN_DATE)
        Plan.objects.filter(pk=last.pk).update(valid_to=begins)
    first = proposal.versions.all()[0]
    made = Plan.objects.create(
        organisation_id=proposal.organisation_id,
        kind=row["kind"],
        version=last.version + 1 if last else 1,
        content=row["content"],
        digest=digest(row["content"]),
        valid_from=begins,
        proposal=proposal.number,
        made_by=first.name,
        approved_by=actor.name,
        approved_at=timezone.now(),
    )
    record(actor, "incident.plan_enacted", f"plan:{made.kind}", version=made.version, digest=made.digest, begins=begins)
    return {"version": made.version, "valid_from": begins.isoformat()}


def last_version(code: str, kind: str) -> Plan | None:
    """The latest version of an organisation's own plan, also one that begins later."""
    return Plan.objects.filter(organisation_id=code, kind=kind).order_by("-version").first()


def _day(text: str) -> date:
    """Raises Refused(INCIDENT_PLAN_DATE) for what an editor wrote and is no day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(Code.INCIDENT_PLAN_DATE) from None


def _must_be_plan(plan: PlanContent) -> None:
    """Raises Refused(INCIDENT_PLAN_FIELD) with the first thing that is wrong."""
    known = {
        Term("冻结对象", "what is frozen"): (plan.freezes, things()),
        Term("后续措施", "follow-ups"): (plan.follow_ups, follow_up_titles()),
        Term("通知岗位", "who is told"): (plan.notify, role_titles()),
    }
    for field, (named, all_of_them) in known.items():
        if set(named) - set(all_of_them):
            raise Refused(Code.INCIDENT_PLAN_FIELD, field=field)
    if not plan.notify:
        raise Refused(Code.INCIDENT_PLAN_FIELD, field=Term("通知岗位", "who is told"))
    if plan.severity not in (1, 2, 3, 4):
        raise Refused(Code.INCIDENT_PLAN_FIELD, field=Term("事件级别", "severity"))
    for name, (least, most) in _LIMITS.items():
        if not least <= getattr(plan, name) <= most:
            raise Refused(Code.INCIDENT_PLAN_FIELD, field=Term(f"时限（{least}–{most}）", f"deadline ({least}–{most})"))
    if not 5 <= len(plan.steps.strip()) <= 4000 or max(len(plan.steps_en), len(plan.contacts)) > 4000:
        raise Refused(Code.INCIDENT_PLAN_FIELD, field=Term("处置步骤", "what is done"))
