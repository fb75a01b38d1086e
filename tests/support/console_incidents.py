"""Incidents in the town: one that runs at the ministry, and a drill that Haikou held."""

from __future__ import annotations

from django.utils import timezone

from sheka.faces.story.cast import acting
from sheka.office.incidents.actions.record_drill import record_drill
from sheka.office.incidents.actions.report_incident import report_incident


def incidents_of_the_town() -> str:
    """Make them; the number of the incident."""
    record_drill(
        acting("haikou-security"),
        kind="data_leak",
        held_on=timezone.localdate(),
        led_by="周谨",
        people="安全管理岗、业务管理岗",
        scenario="桌面推演：误将名册发往外部邮箱",
        result="passed",
    )
    made = report_incident(acting("ministry-reviewer"), kind="other", about="机房门禁记录与值班表不一致，正在核对。")
    return made.number
