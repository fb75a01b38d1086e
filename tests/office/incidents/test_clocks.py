"""What the clock does: deadlines that ran out, reports that nobody above reads, freezes that failed (K9)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from sheka.office.incidents import jobs
from sheka.office.incidents.actions.handle_incident import contain_incident, take_incident
from sheka.office.incidents.actions.watch_incident import read_incident
from sheka.office.incidents.models import Incident
from sheka.office.messages.delivery import carry_all
from sheka.office.messages.models import Outbox
from sheka.office.staff.models import StaffMember
from sheka.office.work.models import WorkNotice
from sheka.office.work.scope import EVERYBODY, reading_as


@pytest.fixture
def clock(monkeypatch):
    """clock(minutes) moves the clock of the node on from now, and takes the turn."""
    start, real = timezone.now(), timezone.now

    def move(minutes):
        monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=minutes))
        assert timezone.now() > start
        jobs.watch()

    return move


def told(kind):
    """Who got notices of this kind, each with how many."""
    with reading_as(EVERYBODY):
        keys = list(WorkNotice.objects.filter(kind=kind).values_list("staff_id", flat=True))
    logins = [StaffMember.objects.get(pk=key).login for key in keys]
    return {login: logins.count(login) for login in sorted(logins)}


def verbs(incident):
    return [entry.verb for entry in incident.entries.all()]


@pytest.mark.req("K9")
def test_what_nobody_above_reads_goes_up_step_by_step(report, copy, clock):
    """Lost: an incident that lies unread at the province until somebody happens to look."""
    made = report()
    carry_all()
    clock(29)
    assert told("incident.unread") == {}, "half an hour is not over"
    clock(31)
    assert told("incident.unread") == {
        "above_two": 1,  # the next role at the province
        "top_two": 1,
        "approver": 2,  # the city learns that neither has answered: it takes the telephone
        "officer": 2,
        "security": 2,
    }
    carry_all()
    assert verbs(copy(made, "000000")).count("unread") == 2
    clock(62)
    carry_all()
    assert told("incident.unread")["top"] >= 2, "the ministry hears that the province has not read it"
    assert made.receipts.filter(escalates_at__isnull=False).count() == 0
    before = told("incident.unread")
    clock(200)
    assert told("incident.unread") == before, "there is nobody further up"


@pytest.mark.req("K9")
def test_what_was_read_in_time_goes_nowhere(report, people, clock):
    made = report()
    carry_all()
    for name in ("above", "top"):
        read_incident(people[name], number=made.number)
    carry_all()
    clock(300)
    assert told("incident.unread") == {}


@pytest.mark.req("K9")
def test_what_does_not_even_arrive_goes_up_from_the_origin(report, clock):
    """The link to the province is down: no copy there can look after itself."""
    report()
    clock(31)
    clock(62)
    assert told("incident.unread")["officer"] == 4
    assert Outbox.objects.filter(kind="incidents.unread").get().recipient == "000000"


@pytest.mark.req("K9")
def test_each_deadline_is_called_late_once(report, people, clock):
    made = report()
    take_incident(people["officer"], number=made.number)
    clock(119)
    assert "late" not in verbs(made)
    clock(121)
    clock(122)
    assert verbs(made).count("late") == 1 and made.entries.get(verb="late").text == "contain"
    assert told("incident.late") == {"approver": 1, "officer": 1, "security": 1}
    contain_incident(people["officer"], number=made.number, text="The safe is sealed.")
    clock(72 * 60 + 1)
    assert [entry.text for entry in made.entries.filter(verb="late")] == ["contain", "cause"]
    carry_all()
    assert "above" in told("incident.moved"), "those above hear that it is late"


@pytest.mark.req("K9")
def test_a_freeze_that_failed_is_tried_again_until_it_holds(report, store, clock):
    store.refusing.add("T-1")
    made = report()
    clock(4)
    assert made.affected.get().tries == 1
    clock(6)
    clock(12)
    row = made.affected.get()
    assert (row.state, row.tries) == ("failed", 3)
    assert verbs(made).count("freeze_failed") == 1, "the same failure again is counted, not told again"
    serial = Incident.objects.get(pk=made.pk).serial
    clock(18)
    assert Incident.objects.get(pk=made.pk).serial == serial, "no news goes up without news"
    store.refusing.clear()
    clock(24)
    row = made.affected.get()
    assert (row.state, row.failure, row.next_try_at) == ("frozen", "", None)
    assert store.frozen == ["T-1"]


def test_a_rotation_that_failed_is_tried_again(report, store, clock):
    store.refusing.add("key:irk.1")
    made = report("key_compromise", "key:irk.1")
    store.refusing.clear()
    clock(6)
    assert made.follow_ups.get().state == "begun" and store.rotated == ["key:irk.1"]


def test_one_incident_whose_clock_fails_holds_up_no_other(report, store, clock, monkeypatch):
    """A refusal in one shows on the page of the system's health; the other is looked after all the same."""
    from sheka.foundation.refusals import Code, Refused

    first, second = report(), report()
    real = jobs.watch_clocks

    def watch(actor, *, incident_id):
        if incident_id == first.pk:
            raise Refused(Code.INCIDENT_UNKNOWN, number=first.number)
        return real(actor, incident_id=incident_id)

    monkeypatch.setattr(jobs, "watch_clocks", watch)
    with pytest.raises(Refused):
        clock(31)
    assert "late" in verbs(second) and "late" not in verbs(first)


def test_an_incident_that_ended_has_no_clock(report, people, clock, store):
    from tests.support.approvals import present

    from sheka.office.incidents.actions.decide_incident import decide_incident
    from sheka.office.incidents.actions.handle_incident import doubt_incident
    from sheka.office.incidents.guards import decision_digest

    made = report("lost_carrier", "carrier:T-1")
    take_incident(people["officer"], number=made.number)
    doubt_incident(people["officer"], number=made.number, reason="It is in the safe.")
    made.refresh_from_db()
    present(people["approver"], decision_digest(made, "dismiss"))
    decide_incident(people["approver"], number=made.number, verb="dismiss", reason="I saw it there.")
    clock(60 * 24 * 40)
    assert "late" not in verbs(made)
    carry_all()
    assert Incident.objects.get(number=made.number, organisation_id="460000").state == "false_alarm"
