"""What incidents put before deciders: the emergency plans of an organisation (K9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sheka.foundation.terms import Term
from sheka.office.approvals.matters import Field, Matter, register
from sheka.office.incidents.actions.propose_plan import PLAN, check_plan, enact_plan
from sheka.office.incidents.plans import SEVERITIES, follow_up_titles, kinds, things
from sheka.office.staff.permissions import Permission, role_titles


def _kind(value: str) -> Term:
    known = kinds().get(value)
    return known.title if known else Term(value, value)


def _words(titles: Callable[[], dict[str, Term]]) -> Callable[[list[str]], Term]:
    """A list of names by their words."""

    def show(values: list[str]) -> Term:
        found = [titles().get(value, Term(value, value)) for value in values]
        return Term("、".join(one.zh for one in found) or "无", ", ".join(one.en for one in found) or "none")

    return show


def _version(value: int) -> Term:
    return Term(f"第{value}版", f"version {value}") if value else Term("默认预案", "the default plan")


def _summary(payload: dict[str, Any]) -> Term:
    kind = _kind(payload["kind"])
    return Term(f"{kind.zh}，自{payload['valid_from']}起", f"{kind.en}, from {payload['valid_from']}")


register(
    Matter(
        kind=PLAN,
        title=Term("应急预案", "Emergency plan"),
        proposes=Permission.INCIDENT_PLAN,
        views=Permission.INCIDENT_VIEW,
        summary=_summary,
        check=check_plan,
        carry_out=enact_plan,
        fields=(
            Field("kind", Term("事件种类", "Kind of incident"), show=_kind),
            Field("replaces", Term("替代", "Replaces"), show=_version),
            Field("valid_from", Term("生效日期", "In force from"), edit=True),
            Field("content.severity", Term("级别", "Severity"), show=lambda value: SEVERITIES[value]),
            Field("content.freezes", Term("立即冻结", "Frozen at once"), show=_words(things)),
            Field("content.follow_ups", Term("后续措施", "Follow-ups"), show=_words(follow_up_titles)),
            Field("content.notify", Term("通知岗位", "Roles that are told"), show=_words(role_titles)),
            Field("content.acknowledge_minutes", Term("接手时限（分钟）", "To be taken in hand (minutes)"), edit=True),
            Field("content.contain_minutes", Term("控制时限（分钟）", "To be contained (minutes)"), edit=True),
            Field("content.cause_hours", Term("查明原因时限（小时）", "Cause to be found (hours)"), edit=True),
            Field("content.close_days", Term("结案时限（天）", "To be closed (days)"), edit=True),
            Field("content.steps", Term("处置步骤", "What is done"), long=True, edit=True),
            Field("content.steps_en", Term("处置步骤（英文）", "What is done (English)"), long=True, edit=True),
            Field("content.contacts", Term("联系人", "Contacts"), long=True, edit=True),
        ),
    )
)
