"""An incident is reported in one step: everybody may, and at once those above know and the thing is stopped (K9)."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from sheka.foundation.refusals import Code
from sheka.office.audit.models import Event
from sheka.office.incidents.actions.report_incident import report_incident
from sheka.office.incidents.models import Incident
from sheka.office.messages.models import Outbox
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.work.models import WorkItem, WorkNotice
from sheka.office.work.scope import EVERYBODY, reading_as


def notices(kind):
    """Log-in name of everybody who got a notice of this kind."""
    with reading_as(EVERYBODY):
        keys = list(WorkNotice.objects.filter(kind=kind).values_list("staff_id", flat=True))
    return sorted(StaffMember.objects.get(pk=key).login for key in keys)


@pytest.mark.req("K9")
def test_in_one_transaction_everything_goes_its_way(report, store):
    """Lost: the carrier could still be read in, or nobody above would know before somebody thought of telling them."""
    made = report("lost_carrier", "carrier:T-1", "key:irk.1")
    assert store.frozen == ["T-1", "irk.1"]
    assert [(row.subject, row.state) for row in made.affected.all()] == [
        ("carrier:T-1", "frozen"),
        ("key:irk.1", "frozen"),
    ]
    assert set(Outbox.objects.values_list("source", "recipient")) == {("460100", "460000"), ("460100", "000000")}
    assert [row.place for row in made.receipts.all()] == ["460000", "000000"]
    assert notices("incident.reported") == ["approver", "officer", "security"]
    item = WorkItem.objects.get(kind="incident.handle")
    assert (item.subject, item.organisation_id, item.permission) == (made.subject, "460100", "incident.handle")
    assert [entry.verb for entry in made.entries.all()] == ["report", "frozen", "frozen"]
    assert Event.objects.filter(event="incident.reported", subject=made.subject).count() == 1


@pytest.mark.req("K9")
def test_it_arrives_above_with_its_freezes_and_somebody_there_has_to_sign(report, copy):
    made = report()
    for place in ("460000", "000000"):
        theirs = copy(made, place)
        assert (theirs.state, theirs.origin, theirs.about) == ("new", "460100", made.about)
        assert theirs.affected.get().state == "frozen"
        assert theirs.deadlines.count() == 4
        item = WorkItem.objects.get(kind="incident.read", organisation_id=place)
        assert item.permission == "incident.handle"
    made.refresh_from_db()
    assert all(row.arrived_at is not None for row in made.receipts.all()), "the origin knows that it arrived"
    assert notices("incident.reported") == ["above", "approver", "officer", "security", "top"]


@pytest.mark.req("K9")
def test_a_freeze_that_fails_holds_nothing_up_and_is_not_dropped(report, store):
    """Lost: the report itself, or the knowledge that the carrier is still alive."""
    store.refusing.add("T-2")
    store.broken.add("T-3")
    made = report("lost_carrier", "carrier:T-1", "carrier:T-2", "carrier:T-3")
    rows = {row.name: row for row in made.affected.all()}
    assert [rows[name].state for name in ("T-1", "T-2", "T-3")] == ["frozen", "failed", "failed"]
    assert "4002" in rows["T-2"].failure and rows["T-3"].failure == "RuntimeError"
    assert rows["T-2"].next_try_at > timezone.now() and rows["T-2"].tries == 1
    assert [entry.verb for entry in made.entries.all()].count("freeze_failed") == 2


def test_what_no_system_can_freeze_is_a_failed_freeze(report, monkeypatch):
    from sheka.office.incidents import freezing

    monkeypatch.setattr(freezing, "_freezers", {})
    made = report("lost_carrier", "carrier:T-1")
    assert made.affected.get().state == "failed" and str(Code.INCIDENT_NO_FREEZER.value) in made.affected.get().failure


@pytest.mark.req("K9")
def test_a_key_compromise_begins_the_rotation(report, store):
    made = report("key_compromise", "key:irk.1", "carrier:T-1")
    assert store.rotated == ["key:irk.1"], "for each key, and for nothing else"
    assert made.follow_ups.get().state == "begun" and "proposed" in made.follow_ups.get().answer


def test_a_rotation_that_fails_is_kept_for_the_clock(report, store):
    store.refusing.add("key:irk.1")
    made = report("key_compromise", "key:irk.1")
    assert made.follow_ups.get().state == "failed" and made.follow_ups.get().next_try_at is not None


def test_what_the_plan_does_not_freeze_is_listed(report, store):
    made = report("machine_failure", "machine:haikou")
    assert made.affected.get().state == "listed" and store.frozen == []


def test_everybody_on_the_staff_may_report_into_the_books_of_the_bureau(report, people):
    """An outlet has no desk of its own: its clerk's report is the city's."""
    made = report("terminal_stolen", "terminal:T01", by="clerk")
    assert (made.organisation_id, made.reported_from, made.reported_by) == ("460100", "460100-01", "clerk 员")


def test_a_partner_may_report_too(report, installer, tree, appoint, store):
    from sheka.office.organisations.actions.add_organisation import add_organisation

    add_organisation(
        installer, code="H01", name="医院", name_en="Hospital", kind="hospital", region="460100", parent="460100",
        valid_from=timezone.localdate(),
    )  # fmt: skip
    nurse = appoint("nurse", "H01")
    made = report_incident(nurse, kind="terminal_stolen", subject="terminal:T1", about="The terminal is gone.")
    assert made.organisation_id == "460100" and store.frozen == ["T1"]


def test_the_ministry_has_nobody_above(report, people, appoint):
    made = report("lost_carrier", by="top")
    assert made.organisation_id == "000000" and not made.receipts.exists() and not Outbox.objects.exists()


def test_numbers_count_on_within_a_day_and_a_place(report):
    day = f"{timezone.localdate():%Y%m%d}"
    assert [report().number, report().number] == [f"I460100-{day}-01", f"I460100-{day}-02"]
    assert report(by="above").number == f"I460000-{day}-01"


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (Code.INCIDENT_KIND, {"kind": "boredom"}),
        (Code.INCIDENT_SUBJECT, {"subject": "T-1"}),
        (Code.INCIDENT_SUBJECT, {"subject": "person:460"}),
        (Code.INCIDENT_TOO_MANY, {"subject": [f"carrier:T-{number}" for number in range(51)]}),
        (Code.INCIDENT_TEXT, {"about": "gone"}),
        (Code.INCIDENT_TEXT, {"about": "x" * 4001}),
        (Code.INCIDENT_SEVERITY, {"severity": 5}),
        (Code.INCIDENT_MOMENT, {"noticed_at": datetime(2026, 11, 1, 9)}),  # noqa: DTZ001 - no zone is the point
        (Code.INCIDENT_MOMENT, {"noticed_at": timezone.now() + timedelta(hours=9)}),
        (Code.INCIDENT_MOMENT, {"noticed_at": timezone.now() - timedelta(days=500)}),
    ],
)
def test_a_report_that_says_nothing_is_refused_and_leaves_nothing(code, changes, people, store, refused):
    given = {"kind": "lost_carrier", "subject": "carrier:T-1", "about": "Not in the safe."} | changes
    refused(code, report_incident, people["custodian"], **given)
    assert not Incident.objects.exists() and store.frozen == []


def test_deadlines_run_from_the_report_in_every_zone(people, store):
    """Lost: a deadline eight hours off, for a time that was noticed in another zone."""
    noticed = datetime.now(ZoneInfo("America/New_York")) - timedelta(hours=1)
    made = report_incident(
        people["custodian"], kind="lost_carrier", subject="carrier:T-1", about="Not there.", noticed_at=noticed
    )
    made.refresh_from_db()
    assert made.noticed_at == noticed
    due = {row.name: row.due_at - made.reported_at for row in made.deadlines.all()}
    assert due == {
        "acknowledge": timedelta(minutes=30),
        "contain": timedelta(minutes=120),
        "cause": timedelta(hours=72),
        "close": timedelta(days=30),
    }
    assert made.due_at == made.reported_at + timedelta(minutes=30)


def test_a_process_of_a_system_may_report(store, tree):
    """A count with a variance reports by itself."""
    made = report_incident(
        Actor.process("custody", "460100"), kind="count_variance", subject="carrier:T-9", about="One is missing."
    )
    assert made.reporter_id is None and store.frozen == ["T-9"]


def test_the_same_thing_twice_is_one_thing(report, store):
    made = report("lost_carrier", "carrier:T-1", "carrier:T-1")
    assert made.affected.count() == 1 and store.frozen == ["T-1"]
    assert organisation("460100").name == "海口市"
