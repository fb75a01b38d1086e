"""Emergency plans: versions that were approved, the default where there is none, drills once a year (K9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from tests.support.approvals import decided

from sheka.foundation.refusals import Code
from sheka.office.approvals.actions.amend import amend
from sheka.office.incidents import jobs
from sheka.office.incidents.actions.propose_plan import last_version, propose_plan
from sheka.office.incidents.actions.record_drill import record_drill
from sheka.office.incidents.drills import plans_and_drills
from sheka.office.incidents.models import Drill, Entry, Plan
from sheka.office.incidents.plans import default_plan, kinds, plan_in_force, things
from sheka.office.staff.permissions import role_titles
from sheka.office.work.models import WorkItem, WorkNotice
from sheka.office.work.scope import EVERYBODY, reading_as

TODAY = timezone.localdate


@pytest.fixture
def adopt(people):
    """adopt(**changes) proposes the default plan for lost carriers with these changes, and approves it."""

    def make(begins=0, **changes):
        content = replace(default_plan("lost_carrier"), **changes)
        day = TODAY() + timedelta(days=begins)
        asked = propose_plan(people["security"], kind="lost_carrier", content=content, valid_from=day)
        return decided(people["approver"], asked)

    return make


def drilled(actor, **changes):
    given = {
        "kind": "lost_carrier",
        "held_on": TODAY(),
        "led_by": "邢海珊",
        "people": "密钥管理组",
        "scenario": "A courier does not arrive.",
        "result": "passed",
    }
    return record_drill(actor, **given | changes)


@pytest.mark.req("K9")
def test_there_is_a_plan_for_every_kind_from_the_first_day(tree):
    """A node that starts has plans: each names things and roles that there are, and says what is to be done."""
    for level in ("000000", "460000", "460100"):
        for name, kind in kinds().items():
            plan = plan_in_force(level, name, TODAY())
            assert plan.is_default and plan.content.steps and plan.content.steps_en
            assert set(plan.content.freezes) <= set(kind.things) <= set(things())
            assert plan.content.notify and set(plan.content.notify) <= set(role_titles())


@pytest.mark.req("K9")
def test_a_plan_counts_when_a_second_person_approved_it(people, report, adopt, refused):
    asked = propose_plan(
        people["security"],
        kind="lost_carrier",
        content=replace(default_plan("lost_carrier"), freezes=("carrier",), contain_minutes=45),
        valid_from=TODAY(),
    )
    assert report("lost_carrier", "key:irk.1").affected.get().state == "frozen", "the default still counts"
    decided(people["approver"], asked)
    made = report("lost_carrier", "carrier:T-1", "key:irk.1")
    assert (made.plan_version, made.plan["contain_minutes"]) == (1, 45)
    assert [row.state for row in made.affected.all()] == ["frozen", "listed"]
    assert plan_in_force("460000", "lost_carrier", TODAY()).is_default, "a plan is its organisation's own"
    row = Plan.objects.get()
    assert (row.made_by, row.approved_by) == ("security 员", "approver 员")


@pytest.mark.req("K9")
def test_versions_follow_each_other_without_a_gap(adopt, people, refused):
    adopt()
    adopt(begins=3, close_days=20)
    first, second = Plan.objects.order_by("version")
    assert first.valid_to == second.valid_from == TODAY() + timedelta(days=3)
    assert plan_in_force("460100", "lost_carrier", TODAY()).version == 1
    assert plan_in_force("460100", "lost_carrier", second.valid_from).version == 2
    assert last_version("460100", "lost_carrier") == second
    same = replace(default_plan("lost_carrier"), close_days=20)
    later = TODAY() + timedelta(days=9)
    refused(
        Code.INCIDENT_PLAN_SAME, propose_plan, people["security"], kind="lost_carrier", content=same, valid_from=later
    )
    refused(
        Code.INCIDENT_PLAN_DATE,
        propose_plan,
        people["security"],
        kind="lost_carrier",
        content=replace(same, close_days=9),
        valid_from=second.valid_from,
    )


def test_of_two_that_wait_the_later_approved_one_must_begin_later(people, refused):
    content = default_plan("lost_carrier")
    asked = [
        propose_plan(
            people["security"], kind="lost_carrier", content=replace(content, close_days=days), valid_from=TODAY()
        )
        for days in (8, 9)
    ]
    decided(people["approver"], asked[0])
    refused(Code.INCIDENT_PLAN_DATE, decided, people["approver"], asked[1])


@pytest.mark.parametrize(
    "changes",
    [
        {"freezes": ("moon",)},
        {"follow_ups": ("party",)},
        {"notify": ("king",)},
        {"notify": ()},
        {"severity": 7},
        {"acknowledge_minutes": 0},
        {"close_days": 5000},
        {"steps": " "},
        {"contacts": "x" * 4001},
    ],
)
def test_a_plan_that_cannot_be_followed_is_not_put_before_anybody(changes, people, refused):
    content = replace(default_plan("lost_carrier"), **changes)
    refused(
        Code.INCIDENT_PLAN_FIELD,
        propose_plan,
        people["security"],
        kind="lost_carrier",
        content=content,
        valid_from=TODAY(),
    )


def test_only_bureaus_have_plans_and_none_begins_in_the_past(people, appoint, refused):
    outlet = appoint("outlet_security", "460100-01", "security_administrator")
    content = default_plan("lost_carrier")
    refused(Code.INCIDENT_PLAN_PLACE, propose_plan, outlet, kind="lost_carrier", content=content, valid_from=TODAY())
    yesterday = TODAY() - timedelta(days=1)
    refused(
        Code.INCIDENT_PLAN_DATE,
        propose_plan,
        people["security"],
        kind="lost_carrier",
        content=content,
        valid_from=yesterday,
    )


def test_a_day_that_an_editor_mistypes_is_refused(people, refused):
    asked = propose_plan(
        people["security"], kind="lost_carrier", content=default_plan("lost_carrier"), valid_from=TODAY()
    )
    refused(
        Code.INCIDENT_PLAN_DATE,
        amend,
        people["security"],
        proposal_id=asked.pk,
        digest=asked.digest,
        payload={**asked.payload, "valid_from": "soon"},
        note="mistyped",
    )


@pytest.mark.req("K9")
def test_a_plan_without_a_drill_for_a_year_is_put_before_who_keeps_it(adopt, people, monkeypatch):
    """Lost: plans that nobody ever tried, until the day on which they are needed."""
    adopt()
    jobs.drills()
    assert not WorkItem.objects.filter(kind="incident.drill").exists(), "a new plan has its year"
    later = timezone.now() + timedelta(days=340)
    monkeypatch.setattr(timezone, "now", lambda: later)
    jobs.drills()
    jobs.drills()
    item = WorkItem.objects.get(kind="incident.drill", state="open")
    assert (item.organisation_id, item.permission) == ("460100", "incident.plan")
    with reading_as(EVERYBODY):
        assert WorkNotice.objects.filter(kind="incident.drill_due").count() == 1
    row = next(row for row in plans_and_drills("460100") if row.kind.name == "lost_carrier")
    assert row.near and not row.overdue
    drilled(people["security"])
    item.refresh_from_db()
    assert item.state == "done"
    row = next(row for row in plans_and_drills("460100") if row.kind.name == "lost_carrier")
    assert not row.near and row.last.plan_version == 1


def test_overdue_is_after_the_day(adopt, monkeypatch):
    adopt()
    later = timezone.now() + timedelta(days=366)
    monkeypatch.setattr(timezone, "now", lambda: later)
    row = next(row for row in plans_and_drills("460100") if row.kind.name == "lost_carrier")
    assert row.overdue and row.near


@pytest.mark.parametrize(
    "changes",
    [
        {"held_on": timezone.localdate() + timedelta(days=1)},
        {"led_by": " "},
        {"people": ""},
        {"scenario": "no"},
        {"result": "fun"},
        {"result": "gaps"},
        {"result": "failed", "measures": "-"},
    ],
)
def test_a_record_that_says_nothing_is_no_drill(changes, people, refused):
    refused(Code.INCIDENT_DRILL_FIELD, drilled, people["security"], **changes)
    assert not Drill.objects.exists()


@pytest.mark.req("K6")
def test_timeline_plans_and_drills_stay_as_they_were_written(report, adopt, people):
    """Not even the application can change what was said: a trigger of the database refuses."""
    report()
    adopt()
    drilled(people["security"])
    for rows, change in (
        (Entry.objects.all(), {"text": "nothing happened"}),
        (Plan.objects.all(), {"approved_by": "somebody else"}),
        (Drill.objects.all(), {"result": "passed"}),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.update(**change)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.first().delete()
