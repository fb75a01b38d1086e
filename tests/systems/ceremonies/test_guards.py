"""Who may not take part, what may not be planned, what may not be done out of turn (K6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.support.approvals import decided, present
from tests.support.ceremonies import acting, approved_generation, planned, players

from sheka.foundation.refusals import Code
from sheka.office.work.models import WorkItem, WorkNotice
from sheka.office.work.scope import reading_as
from sheka.systems.ceremonies.actions.abort_ceremony import abort_ceremony, expire_due
from sheka.systems.ceremonies.actions.issue_minutes import issue_minutes
from sheka.systems.ceremonies.actions.plan_ceremony import plan_ceremony
from sheka.systems.ceremonies.actions.propose_ceremony import propose_ceremony
from sheka.systems.ceremonies.actions.take_step import take_step
from sheka.systems.ceremonies.models import Ceremony
from sheka.systems.ceremonies.queries import turns_of
from sheka.systems.ceremonies.records import step_digest
from sheka.systems.keys.models import Key

pytestmark = pytest.mark.django_db


def plan_with(office, proposal, kind="keys.generate", **changes):
    return plan_ceremony(office.proposer, kind=kind, proposal_id=proposal.pk, **office.roster() | changes)


def told(ceremony, kind):
    """Who has a notice of this kind about the ceremony; a person reads the own ones only."""
    found = set()
    for seat in ceremony.seats.all():
        with reading_as(seat.staff_id):
            rows = WorkNotice.objects.filter(subject=ceremony.key, kind=kind, staff_id=seat.staff_id)
            found |= set(rows.values_list("staff_id", flat=True))
    return found


@pytest.mark.req("K6")
def test_the_roster_is_of_different_people_none_of_whom_proposed_or_decided(office, appoint, refused):
    proposal = approved_generation(office)
    double = appoint("second-account", "000000", "key_officer", person="000000-custodian-1")
    guest = appoint("stranger", "460000", "key_officer")
    decider_too = appoint("approver-too", "000000", "custodian", person="000000-approver")
    holder = office.custodians[0].staff_id
    cases = (
        (Code.CEREMONY_DECIDED, {"leader": office.proposer.staff_id}),
        (Code.CEREMONY_DECIDED, {"custodians": [decider_too.staff_id, holder]}),
        (Code.CEREMONY_PERSON_TWICE, {"leader": double.staff_id}),
        (Code.CEREMONY_PERSON_TWICE, {"custodians": [holder, holder]}),
        (Code.CEREMONY_RIGHT, {"leader": guest.staff_id}),
        (Code.CEREMONY_RIGHT, {"witness": office.leader.staff_id}),
        (Code.CEREMONY_RIGHT, {"witness": 0}),
        (Code.CEREMONY_CUSTODIANS, {"custodians": [holder]}),
    )
    for code, changes in cases:
        refused(code, plan_with, office, proposal, **changes)
    assert not Ceremony.objects.exists()


@pytest.mark.req("K6")
def test_nothing_is_planned_without_its_own_approval_and_nothing_twice(office, refused):
    proposal = approved_generation(office)
    refused(Code.CEREMONY_APPROVAL, plan_with, office, proposal, kind="keys.destroy")
    refused(Code.CEREMONY_KIND, plan_with, office, proposal, kind="keys.guess")
    refused(Code.CEREMONY_APPROVAL, plan_ceremony, office.proposer, kind="keys.generate", **office.roster())
    open_one = propose_ceremony(office.proposer, kind="machine.back_up", why="季度备份")
    refused(Code.CEREMONY_APPROVAL, plan_with, office, open_one, kind="machine.back_up", asked={"threshold": 2})
    decided(office.approver, open_one)
    refused(Code.CEREMONY_APPROVAL, plan_with, office, open_one, kind="machine.set_up", asked={"threshold": 2})
    refused(Code.CEREMONY_ASKED, plan_with, office, open_one, kind="machine.back_up", asked={"threshold": 3})
    refused(Code.CEREMONY_ASKED, plan_with, office, proposal, kind="keys.components", asked={"scheme": "halves"})
    made = plan_with(office, proposal)
    assert refused(Code.CEREMONY_TAKEN, plan_with, office, proposal).facts["number"] == made.number
    refused(Code.CEREMONY_ASKED, propose_ceremony, office.proposer, kind="keys.generate", why="不经申请")
    refused(Code.CEREMONY_REASON, propose_ceremony, office.proposer, kind="machine.back_up", why=" ")


@pytest.mark.req("K6")
def test_steps_go_forward_only_each_by_whose_turn_it_is_and_with_presence_for_it(office, machine, refused):
    ceremony = planned(office, "keys.generate", approved_generation(office))
    number, leader, first = ceremony.number, office.leader, office.custodians[0]
    refused(Code.CONFIRMATION_NEEDED, take_step, leader, number=number, step=0)
    present(leader, ceremony.digest)
    refused(Code.CONFIRMATION_NEEDED, take_step, leader, number=number, step=0)
    refused(Code.CEREMONY_STEP_PASSED, take_step, leader, number=number, step=1)
    refused(Code.CEREMONY_NOT_YOURS, take_step, office.proposer, number=number, step=0)
    refused(Code.CEREMONY_UNKNOWN, take_step, leader, number="C000000-1999-001", step=0)
    present(leader, step_digest(ceremony))
    take_step(leader, number=number, step=0)
    refused(Code.CEREMONY_ACTED, take_step, leader, number=number, step=0)
    ceremony = players().play(Ceremony.objects.get(), up_to=1)
    refused(Code.CEREMONY_STEP_PASSED, take_step, leader, number=number, step=0)
    refused(Code.CEREMONY_NOT_YOURS, take_step, first, number=number, step=1)
    ceremony = players().play(ceremony, up_to=2)
    refused(Code.CEREMONY_FINGERPRINT, take_step, first, number=number, step=2, given={"fingerprint": "00000000"})
    refused(Code.CEREMONY_GIVEN, take_step, first, number=number, step=2)
    ceremony.refresh_from_db()
    assert (ceremony.position, ceremony.state, Key.objects.get().state) == (2, "running", "planned")


def test_work_lies_before_exactly_those_in_turn_and_everybody_hears_of_plan_and_end(office, machine):
    ceremony = planned(office, "keys.generate", approved_generation(office))
    open_work = WorkItem.objects.filter(subject=ceremony.key, closed_at=None)
    assert {item.assignee_id for item in open_work} == {seat.staff_id for seat in ceremony.seats.all()}
    assert told(ceremony, "ceremony.called") == {seat.staff_id for seat in ceremony.seats.all()}
    players().play(ceremony, up_to=1)
    assert [item.assignee_id for item in open_work.all()] == [office.leader.staff_id]
    assert turns_of(office.leader) == [ceremony] and turns_of(office.witness) == []
    abort_ceremony(office.witness, number=ceremony.number, reason="封条破损")
    assert not open_work.all().exists()
    everybody = {seat.staff_id for seat in ceremony.seats.all()}
    assert told(ceremony, "ceremony.ended") == everybody - {office.witness.staff_id}


@pytest.mark.req("K6")
def test_an_abort_needs_its_reason_and_somebody_of_the_roster_and_its_minutes_say_what_stays(office, machine, refused):
    proposal = approved_generation(office)
    ceremony = players().play(planned(office, "keys.generate", proposal), up_to=4)
    number = ceremony.number
    refused(Code.CEREMONY_REASON, abort_ceremony, office.leader, number=number, reason=" ")
    refused(Code.CEREMONY_NOT_YOURS, abort_ceremony, office.proposer, number=number, reason="改期")
    refused(Code.STATE_FORBIDS, issue_minutes, office.leader, number=number)
    ended = abort_ceremony(office.custodians[1], number=number, reason="校验值与面板不符")
    assert (ended.state, ended.end_reason) == ("aborted", "校验值与面板不符")
    assert Key.objects.get().state == "generated"
    refused(Code.CEREMONY_OVER, abort_ceremony, office.leader, number=number, reason="再次")
    refused(Code.CEREMONY_OVER, take_step, office.leader, number=number, step=4)
    assert issue_minutes(office.witness, number=number).kind == "ceremony_minutes"


def test_a_plan_lapses_and_lets_its_request_be_planned_again(office, refused):
    proposal = approved_generation(office)
    late = planned(office, "keys.generate", proposal)
    Ceremony.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    refused(Code.CEREMONY_OVER, take_step, office.leader, number=late.number, step=0)
    assert expire_due() == 1 and expire_due() == 0
    late.refresh_from_db()
    assert late.state == "expired"
    assert planned(office, "keys.generate", proposal).number != late.number


@pytest.mark.req("K6")
def test_a_role_that_ended_meanwhile_gives_no_seat(office, machine, refused):
    ceremony = planned(office, "keys.generate", approved_generation(office))
    staff = ceremony.seats.get(key="custodian-1").staff
    staff.grants.update(valid_to=timezone.localdate())
    ceremony = Ceremony.objects.get()
    present(acting(staff.pk), step_digest(ceremony))
    refused(Code.CEREMONY_RIGHT, take_step, office.custodians[0], number=ceremony.number, step=0)


def test_an_altered_script_or_roster_is_noticed(office, machine, refused):
    ceremony = planned(office, "keys.generate", approved_generation(office))
    ceremony.script[3]["seats"] = ["custodian-1"]
    ceremony.save()
    present(office.leader, step_digest(ceremony))
    refused(Code.APPROVAL_ALTERED, take_step, office.leader, number=ceremony.number, step=0)
