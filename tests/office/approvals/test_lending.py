"""The right to decide lent to a colleague: for a time, in both names, never to the author, never across roles."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.support.approvals import decided

from sheka.foundation.refusals import Code
from sheka.office.approvals.actions.lend import end_lending, lend
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.models import Delegation
from sheka.office.approvals.queries import could_decide, in_force, lendings_of, rights_to_lend, to_decide
from sheka.office.audit.models import Event
from sheka.office.staff.models import Grant, StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_named
from sheka.office.work.models import WorkNotice
from sheka.office.work.scope import reading_as


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def give(people, appoint, today):
    """give(to) → `one` lends the right to decide about keys to this colleague for a week."""
    people["helper"] = appoint("helper", "460100", "card_planner")

    def make(to="helper", lender="one", days=7, permission=Permission.KEY_DECIDE, start=0, reason="on leave"):
        return lend(
            people[lender],
            permission=permission,
            to=people[to].staff_id,
            valid_from=today + timedelta(days=start),
            valid_to=today + timedelta(days=start + days),
            reason=reason,
        )

    return make


def test_the_delegate_decides_in_the_lenders_right_and_both_names_are_kept(ask, people, give):
    made = ask("test.two")
    give()
    assert list(to_decide(people["helper"])) == [made]
    decided(people["helper"], made)
    row = made.decisions.get()
    assert (row.name, row.lender_name) == ("helper 员", "one 员")
    assert '"lent_by":"one 员"' in Event.objects.get(event="approval.decided").facts
    with reading_as(people["helper"].staff_id):
        assert "one 员 lends you" in WorkNotice.objects.get().text_en
    lent = Event.objects.get(event="delegation.lent")
    assert (lent.subject, '"to":"helper"' in lent.facts) == ("staff:one", True)


def test_who_lent_the_right_and_who_used_it_count_once_together(ask, people, give, refused):
    made = ask("test.two")
    give()
    decided(people["helper"], made)
    assert "helper 员" in refused(Code.APPROVAL_DECIDED_FOR_YOU, decided, people["one"], made).text("en")
    refused(Code.APPROVAL_LENDER_BARRED, decided, people["helper"], made)
    made = ask("test.two")
    decided(people["one"], made)
    refused(Code.APPROVAL_LENDER_BARRED, decided, people["helper"], made)


def test_a_right_lent_to_the_author_is_no_right_about_the_own_request(people, give, refused):
    give()
    made = propose(people["helper"], kind="test.plan", subject="a plan", payload={"amount": 3})
    assert "one 员" in refused(Code.APPROVAL_LENT_TO_AUTHOR, decided, people["helper"], made).text("en")


def test_an_authors_right_lent_to_a_colleague_decides_nothing_of_the_author(people, appoint, give, refused):
    Grant.objects.create(
        staff_id=people["one"].staff_id,
        role="card_planner",
        valid_from="2020-01-01",
        valid_to="2036-01-01",
        granted_by="test",
    )
    give()
    made = propose(actor_named("one"), kind="test.plan", subject="a plan", payload={"amount": 3})
    refused(Code.APPROVAL_LENDER_BARRED, decided, people["helper"], made)


def test_a_lent_right_ends_with_its_last_day_and_when_it_is_taken_back(ask, people, give, refused, today):
    made = ask()
    lent = give(start=1)
    refused(Code.PERMISSION_MISSING, decided, people["helper"], made)
    Delegation.objects.filter(pk=lent.pk).update(valid_from=today - timedelta(days=3), valid_to=today)
    refused(Code.PERMISSION_MISSING, decided, people["helper"], made)
    Delegation.objects.filter(pk=lent.pk).update(valid_to=today + timedelta(days=1))
    assert in_force(lendings_of(people["helper"]).get())
    refused(Code.DELEGATION_UNKNOWN, end_lending, people["two"], delegation_id=lent.pk)
    end_lending(people["helper"], delegation_id=lent.pk)
    end_lending(people["one"], delegation_id=lent.pk)
    assert not in_force(lendings_of(people["one"]).get())
    assert Event.objects.filter(event="delegation.ended").count() == 1
    refused(Code.PERMISSION_MISSING, decided, people["helper"], made)


def test_a_lent_right_is_worth_no_more_than_the_lenders_own(ask, people, give, refused, today):
    made = ask()
    give()
    Grant.objects.filter(staff__login="one").update(valid_to=today)
    assert "one 员" in refused(Code.APPROVAL_LENT_LAPSED, decided, people["helper"], made).text("en")
    Grant.objects.filter(staff__login="one").update(valid_to=today + timedelta(days=9))
    StaffMember.objects.filter(login="one").update(organisation_id="460000")
    refused(Code.APPROVAL_LENT_LAPSED, decided, people["helper"], made)
    StaffMember.objects.filter(login="one").update(organisation_id="460100", is_active=False)
    refused(Code.APPROVAL_LENT_LAPSED, decided, people["helper"], made)


def test_incompatible_roles_are_not_crossed_now_nor_later(ask, people, give, refused, appoint):
    refused(Code.DELEGATION_INCOMPATIBLE, give, "colleague")
    made = ask()
    give()
    second = appoint("helper-2", "460100", "key_officer", person="helper")
    assert second.staff_id
    refused(Code.APPROVAL_LENT_LAPSED, decided, people["helper"], made)


def test_what_can_be_lent_to_whom_and_for_how_long(people, give, refused, appoint):
    deciding = [Permission.CARRIER_DECIDE, Permission.INCIDENT_DECIDE, Permission.KEY_DECIDE]
    assert rights_to_lend(people["one"]) == deciding
    assert rights_to_lend(people["helper"]) == []
    people["one-2"] = appoint("one-2", "460100", "card_planner", person="one")
    refused(Code.DELEGATION_SELF, give, "one-2")
    refused(Code.DELEGATION_SELF, give, "one")
    refused(Code.DELEGATION_ELSEWHERE, give, "examiner")
    refused(Code.DELEGATION_NOT_DECIDING, give, permission=Permission.KEY_VIEW)
    refused(Code.PERMISSION_MISSING, give, "two", lender="helper")
    refused(Code.APPROVAL_REASON, give, reason=" ")
    for wrong in ({"days": 0}, {"days": 91}, {"start": -1}):
        refused(Code.DELEGATION_DATES, give, **wrong)
    give()
    refused(Code.DELEGATION_TWICE, give, "two", start=3)
    give("two", start=7)


def test_a_borrowed_right_is_not_lent_on(people, give, refused):
    give()
    refused(Code.PERMISSION_MISSING, give, "two", lender="helper")


def test_those_who_could_decide_are_named(ask, people):
    made = ask("test.two")
    assert [staff.login for staff in could_decide(made)] == ["one", "three", "two"]
    decided(people["one"], made)
    assert [staff.login for staff in could_decide(made)] == ["three", "two"]
