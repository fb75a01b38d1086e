"""From the report to its end: who may do what, and who is never the second person (K6, K9)."""

from __future__ import annotations

import pytest
from tests.support.approvals import present

from sheka.foundation.refusals import Code
from sheka.office.audit.models import Event
from sheka.office.incidents.actions.decide_incident import decide_incident
from sheka.office.incidents.actions.handle_incident import (
    answer_demand,
    contain_incident,
    doubt_incident,
    find_cause,
    handle_incident,
    note_progress,
    regrade_incident,
    take_incident,
)
from sheka.office.incidents.actions.settle_affected import (
    add_affected,
    freeze_affected,
    release_affected,
    settle_affected,
)
from sheka.office.incidents.actions.watch_incident import demand_more, read_incident
from sheka.office.incidents.guards import RULES, decision_digest, open_demands, why_not
from sheka.office.incidents.models import Incident
from sheka.office.incidents.queries import figures, frozen_by_incident, incidents_about, readable_by, reported_by
from sheka.office.messages.delivery import carry_all
from sheka.office.work.models import WorkItem

SAID = "Found behind the drawer."


@pytest.fixture
def life(people):
    """life(incident, "take", "contain", …) does these steps of the officer's and the approver's."""

    def go(incident, *verbs):
        number, officer, approver = incident.number, people["officer"], people["approver"]
        for verb in verbs:
            if verb == "take":
                take_incident(officer, number=number)
            elif verb == "contain":
                contain_incident(officer, number=number, text=SAID)
            elif verb == "find_cause":
                find_cause(officer, number=number, cause=SAID)
            elif verb == "handle":
                handle_incident(officer, number=number, measures=SAID)
            elif verb == "doubt":
                doubt_incident(officer, number=number, reason=SAID)
            elif verb in ("replace", "destroy"):
                subject = incident.affected.first().subject
                settle_affected(officer, number=number, subject=subject, verb=verb, reason=SAID)
            else:
                incident.refresh_from_db()
                present(approver, decision_digest(incident, verb))
                decide_incident(approver, number=number, verb=verb, reason=SAID)
        incident.refresh_from_db()
        return incident

    return go


@pytest.mark.req("K9")
def test_the_whole_way_to_its_end(report, life, people, copy):
    made = life(report(), "take", "contain", "find_cause", "destroy", "handle", "close")
    assert (made.state, made.ended_by, made.cause, made.measures) == ("closed", "approver 员", SAID, SAID)
    assert not made.deadlines.filter(met_at__isnull=True).exists() and made.due_at is None
    assert not WorkItem.objects.exclude(state="done").filter(organisation_id="460100").exists()
    assert copy(made, "460000").state == "closed", "the superior's copy follows"
    assert copy(made, "000000").entries.filter(verb="close").count() == 1
    assert Event.objects.filter(subject=made.subject, event="incident.close").count() == 1


@pytest.mark.req("K6")
def test_neither_who_reported_nor_who_handled_it_closes_it(report, life, people, appoint, refused):
    """Lost: one person loses a carrier and declares the matter done. A second account of theirs is the same person."""
    made = life(report(), "take", "contain", "find_cause", "destroy", "handle")
    again = appoint("officer_again", "460100", "approver", person="officer")
    reporter = appoint("custodian_again", "460100", "approver", person="custodian")
    for one in (again, reporter):
        refused(Code.INCIDENT_OWN, decide_incident, one, number=made.number, verb="close", reason=SAID)
    refused(Code.PERMISSION_MISSING, decide_incident, people["officer"], number=made.number, verb="close", reason=SAID)


@pytest.mark.req("K9")
def test_it_is_not_closed_while_something_is_frozen_and_undecided(report, life, people, refused):
    made = life(report(), "take", "contain", "find_cause", "handle")
    refused(Code.INCIDENT_UNDECIDED, decide_incident, people["approver"], number=made.number, verb="close", reason=SAID)
    life(made, "replace")
    assert life(made, "close").state == "closed"


def test_closing_needs_presence_for_exactly_this(report, life, people, refused):
    made = life(report(), "take", "contain", "find_cause", "destroy", "handle")
    present(people["approver"], decision_digest(made, "dismiss"))
    refused(
        Code.CONFIRMATION_NEEDED, decide_incident, people["approver"], number=made.number, verb="close", reason=SAID
    )


@pytest.mark.req("K9")
def test_cause_and_measures_are_needed(report, life, people, refused):
    """Each state is reached by saying what belongs to it, and none is passed over."""
    made = life(report(), "take")
    refused(Code.STATE_FORBIDS, find_cause, people["officer"], number=made.number, cause=SAID)
    life(made, "contain")
    refused(Code.INCIDENT_TEXT, find_cause, people["officer"], number=made.number, cause="  ")
    refused(Code.STATE_FORBIDS, handle_incident, people["officer"], number=made.number, measures=SAID)
    refused(Code.STATE_FORBIDS, decide_incident, people["approver"], number=made.number, verb="close", reason=SAID)


def test_only_the_handler_handles(report, life, people, refused):
    made = report()
    refused(Code.INCIDENT_NOT_TAKEN, contain_incident, people["officer"], number=made.number, text=SAID)
    life(made, "take")
    refused(Code.INCIDENT_OTHER_HANDLER, contain_incident, people["security"], number=made.number, text=SAID)
    take_incident(people["security"], number=made.number)
    contain_incident(people["security"], number=made.number, text=SAID)
    assert WorkItem.objects.get(kind="incident.handle").assignee_id == people["security"].staff_id


def test_it_is_not_contained_while_a_freeze_failed(report, life, people, store, refused):
    store.refusing.add("T-1")
    made = life(report(), "take")
    refused(Code.INCIDENT_FREEZE_FAILED, contain_incident, people["officer"], number=made.number, text=SAID)
    store.refusing.clear()
    row = freeze_affected(people["officer"], number=made.number, subject="carrier:T-1")
    assert (row.state, row.tries, row.failure) == ("frozen", 2, "")
    assert life(made, "contain").state == "contained"


def released(people, incident, verb):
    incident.refresh_from_db()
    present(people["approver"], decision_digest(incident, verb, "carrier:T-1"))
    return release_affected(
        people["approver"], number=incident.number, subject="carrier:T-1", verb=verb, reason="It was found sealed."
    )


@pytest.mark.req("K6")
def test_a_second_person_lets_a_thing_go_again(report, life, people, store, refused):
    made = life(report(), "take")
    refused(
        Code.PERMISSION_MISSING,
        release_affected,
        people["officer"],
        number=made.number,
        subject="carrier:T-1",
        verb="thaw",
        reason=SAID,
    )
    assert released(people, made, "thaw").state == "thawed" and store.frozen == []
    assert not frozen_by_incident("carrier:T-1")


def test_what_its_system_does_not_let_go_stays_frozen(report, life, people, store, refused):
    made = life(report(), "take")
    store.refusing.add("T-1")
    with pytest.raises(Exception, match="3922"):
        released(people, made, "thaw")
    assert made.affected.get().state == "frozen"


def test_a_freeze_of_nothing_is_waived_by_a_second_person(report, life, people, store):
    store.refusing.add("T-1")
    made = life(report(), "take")
    assert released(people, made, "waive").state == "waived"
    assert life(made, "contain").state == "contained"


@pytest.mark.req("K9")
def test_a_false_alarm_takes_two(report, life, people, store, refused):
    made = life(report(), "take", "doubt")
    refused(Code.INCIDENT_DOUBTED, contain_incident, people["officer"], number=made.number, text=SAID)
    assert life(made, "dismiss").state == "false_alarm"
    assert (
        made.ended_at is not None
        and not WorkItem.objects.exclude(state="done").filter(organisation_id="460100").exists()
    )


def test_a_false_alarm_that_is_none_goes_on(report, life, people, refused):
    made = life(report(), "take")
    refused(
        Code.INCIDENT_NOT_DOUBTED, decide_incident, people["approver"], number=made.number, verb="uphold", reason=SAID
    )
    life(made, "doubt", "uphold")
    assert made.state == "new" and made.doubt == {}
    assert WorkItem.objects.get(kind="incident.handle", state="open").assignee_id == people["officer"].staff_id


def test_sent_back_it_returns_to_its_handler(report, life, people):
    made = life(report(), "take", "contain", "find_cause", "handle", "send_back")
    assert made.state == "cause_found"
    assert WorkItem.objects.get(kind="incident.handle", state="open").assignee_id == people["officer"].staff_id


@pytest.mark.req("K9")
def test_opened_again_its_clocks_run_anew(report, life, people):
    made = life(report(), "take", "contain", "find_cause", "destroy", "handle", "close", "reopen")
    assert made.state == "new" and made.ended_at is None and made.due_at is not None
    assert made.deadlines.filter(met_at__isnull=True).count() == 4


def test_more_things_come_to_light(report, life, people, store):
    made = life(report(), "take")
    add_affected(people["officer"], number=made.number, subject="key:irk.1")
    add_affected(people["officer"], number=made.number, subject="key:irk.1")
    add_affected(people["officer"], number=made.number, subject="psam:P-1")
    assert store.frozen == ["T-1", "irk.1"] and incidents_about("psam:P-1") == [made.number]
    freeze_affected(people["officer"], number=made.number, subject="psam:P-1")
    assert store.frozen == ["T-1", "irk.1", "P-1"]


def test_severity_and_progress_stand_on_the_timeline(report, life, people, refused):
    made = life(report(), "take")
    regrade_incident(people["officer"], number=made.number, severity=1, reason="Keys were on it.")
    refused(
        Code.INCIDENT_SAME_SEVERITY, regrade_incident, people["officer"], number=made.number, severity=1, reason=SAID
    )
    refused(Code.INCIDENT_SEVERITY, regrade_incident, people["officer"], number=made.number, severity=9, reason=SAID)
    note_progress(people["officer"], number=made.number, text="The way it went was searched.")
    made.refresh_from_db()
    assert made.severity == 1
    assert [entry.verb for entry in made.entries.all()][-2:] == ["regrade", "note"]


@pytest.mark.req("K9")
def test_those_above_sign_and_the_origin_sees_who(report, people, copy, refused):
    made = report()
    copy(made, "460000")
    read_incident(people["above"], number=made.number)
    refused(Code.INCIDENT_READ_ALREADY, read_incident, people["above"], number=made.number)
    assert not WorkItem.objects.filter(kind="incident.read", organisation_id="460000", state="open").exists()
    read_incident(people["above_two"], number=made.number)
    carry_all()
    receipt = made.receipts.get(place="460000")
    assert receipt.read_by == "above 员" and receipt.escalates_at is None
    readers = [entry.name for entry in copy(made, "000000").entries.filter(verb="read")]
    assert readers == ["above 员", "above_two 员"], "the ministry sees it as well"


@pytest.mark.req("K9")
def test_a_superior_may_ask_for_more_and_is_answered_before_the_end(report, life, people, copy, refused):
    made = life(report(), "take", "contain", "find_cause", "destroy", "handle")
    copy(made, "460000")
    demand_more(people["above"], number=made.number, text="Who had the second key of the safe?")
    carry_all()
    asked = open_demands(made)[0]
    refused(
        Code.INCIDENT_DEMAND_OPEN, decide_incident, people["approver"], number=made.number, verb="close", reason=SAID
    )
    assert WorkItem.objects.get(kind="incident.answer").state == "open"
    answer_demand(people["officer"], number=made.number, demand=asked.key, text="The custodian's deputy.")
    refused(
        Code.INCIDENT_DEMAND_UNKNOWN, answer_demand, people["officer"], number=made.number, demand=asked.key, text=SAID
    )
    assert life(made, "close").state == "closed"
    assert open_demands(copy(made, "460000")) == []


@pytest.mark.req("K9")
def test_a_demand_after_the_end_opens_it_again(report, life, people, copy):
    made = life(report(), "take", "contain", "find_cause", "destroy", "handle", "close")
    copy(made, "000000")
    demand_more(people["top"], number=made.number, text="The cause is not convincing.")
    carry_all()
    made.refresh_from_db()
    assert made.state == "new" and made.ended_at is None and len(open_demands(made)) == 1


def test_those_above_only_watch_and_those_below_do_not_sign(report, people, copy, refused):
    made = report()
    copy(made, "460000")
    refused(Code.INCIDENT_ELSEWHERE, take_incident, people["above"], number=made.number)
    refused(Code.INCIDENT_NOT_A_SUPERIOR, read_incident, people["officer"], number=made.number)
    refused(Code.INCIDENT_UNKNOWN, take_incident, people["officer"], number="I460100-20200101-01")


def test_what_is_not_among_the_affected_cannot_be_settled(report, life, people, refused):
    made = life(report(), "take")
    refused(
        Code.INCIDENT_AFFECTED_UNKNOWN,
        settle_affected,
        people["officer"],
        number=made.number,
        subject="carrier:T-7",
        verb="replace",
        reason=SAID,
    )


def test_every_verb_tells_why_not_or_is_open(report, life, people):
    """The page asks the same questions as the verb; a verb without a rule would be a button that always fails."""
    made = life(report(), "take")
    open_to_officer = {verb for verb in RULES if why_not(people["officer"], made, verb) is None}
    assert open_to_officer == {"contain", "doubt", "add", "freeze", "settle", "regrade", "note", "answer"}
    assert {verb for verb in RULES if why_not(people["approver"], made, verb) is None} == {"release"}


def test_who_reads_what(report, people, appoint, copy):
    """The bureau reads all of it, a reporter the own report, another clerk nothing, and each level its copy."""
    made = report("terminal_stolen", "terminal:T1", by="clerk")
    copy(made, "460000")
    other = appoint("other", "460100-01", "clerk")
    supervisor = appoint("supervisor", "460100-01", "card_supervisor")
    seen = {name: readable_by(actor).count() for name, actor in (people | {"other": other, "sup": supervisor}).items()}
    assert seen["clerk"] == seen["officer"] == seen["approver"] == seen["above"] == seen["top"] == seen["sup"] == 1
    assert seen["other"] == 0
    assert reported_by(people["clerk"]).get().number == made.number


def test_figures_of_a_year(report, life, people):
    life(report(), "take", "contain", "find_cause", "destroy", "handle", "close")
    report("lost_psam", "psam:P1")
    found = figures(people["approver"])
    assert (found.total, found.running, found.closed, found.in_time, found.overdue) == (2, 1, 1, 1, 0)
    assert found.by_kind == {"lost_carrier": 1, "lost_psam": 1}
    assert Incident.objects.filter(organisation_id="460100").count() == 2
