"""Who may decide: nobody the own request, nobody twice, nobody what they did not see; each refused with its number."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import timezone
from tests.support.approvals import decided, present

from sheka.foundation.refusals import Code
from sheka.office.approvals.actions.amend import amend
from sheka.office.approvals.actions.carry_out import carry_out
from sheka.office.approvals.actions.decide import decide
from sheka.office.approvals.actions.propose import propose
from sheka.office.approvals.actions.reassign import reassign
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.queries import why_not
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import Grant, StaffMember
from sheka.office.staff.queries import actor_named


@pytest.mark.req("K6")
def test_two_others_consent_and_it_is_carried_out_once(ask, people, refused):
    made = ask("test.two")
    assert decided(people["one"], made).state == "open"
    refused(Code.STATE_FORBIDS, carry_out, people["author"], proposal_id=made.pk, kind="test.two")
    assert decided(people["two"], made).state == "approved"
    assert carry_out(people["author"], proposal_id=made.pk, kind="test.two") == {"amount": 7}
    refused(Code.STATE_FORBIDS, carry_out, people["author"], proposal_id=made.pk, kind="test.two")


@pytest.mark.req("K6")
def test_the_author_is_refused_and_so_is_the_authors_second_account(ask, people, appoint, refused):
    made = ask()
    refused(Code.APPROVAL_OWN, decided, people["author"], made)
    second = appoint("author-2", "460100", "approver", person="author")
    refused(Code.APPROVAL_SECOND_ACCOUNT, decided, second, made)


def test_an_editor_is_refused_like_the_author(ask, people, appoint, refused):
    made = ask()
    amend(people["colleague"], proposal_id=made.pk, digest=made.digest, payload={"amount": 8}, note="eight")
    assert "2" in refused(Code.APPROVAL_EDITED_BY_YOU, decided, people["colleague"], made).text("en")
    refused(Code.APPROVAL_SECOND_ACCOUNT, decided, appoint("c-2", "460100", "approver", person="colleague"), made)


@pytest.mark.req("K6")
def test_a_second_decision_of_one_person_is_refused_with_whichever_account(ask, people, appoint, refused):
    made = ask("test.two")
    decided(people["one"], made)
    refused(Code.APPROVAL_TWICE, decided, people["one"], made)
    again = appoint("one-2", "460100", "approver", person="one")
    refused(Code.APPROVAL_SECOND_ACCOUNT, decided, again, made)


def test_who_decided_an_earlier_step_decides_no_later_one(ask, appoint, refused):
    made = ask("test.home")
    both = appoint("both", "460100")
    for role in ("approver", "key_officer"):
        Grant.objects.create(
            staff_id=both.staff_id, role=role, valid_from="2020-01-01", valid_to="2036-01-01", granted_by="test"
        )
    decided(actor_named("both"), made)
    assert made.step == 1
    refused(Code.APPROVAL_DECIDED_EARLIER, decided, actor_named("both"), made)


def test_a_later_step_waits_for_the_earlier_one(ask, people, refused):
    made = ask("test.home")
    refused(Code.APPROVAL_NOT_YOUR_TURN, decided, people["colleague"], made)
    refused(Code.APPROVAL_NOT_YOUR_TURN, decided, people["one"], made, step=1)
    refused(Code.APPROVAL_NOT_YOUR_TURN, decided, people["one"], made, step=-1)


def test_a_stale_page_an_edited_request_and_an_altered_row_are_told_apart(ask, people, refused):
    made = ask()
    before = made.digest
    refused(Code.APPROVAL_STALE, decided, people["one"], made, digest="0" * 64)
    amend(people["author"], proposal_id=made.pk, digest=before, payload={"amount": 9}, note="nine")
    refused(Code.APPROVAL_EDITED, decided, people["one"], made, digest=before)
    Proposal.objects.filter(pk=made.pk).update(payload={"amount": 10**6})
    refused(Code.APPROVAL_ALTERED, decided, people["one"], made)


def test_two_requests_with_the_same_content_have_two_digests(ask):
    assert ask().digest != ask().digest


def test_a_decision_too_late_is_refused_before_the_clock_has_been_round(ask, people, refused, too_late):
    made = ask()
    too_late(made)
    refused(Code.APPROVAL_EXPIRED, decided, people["one"], made)
    made = ask()
    decided(people["one"], made)
    too_late(made)
    refused(Code.APPROVAL_EXPIRED, carry_out, people["author"], proposal_id=made.pk, kind="test.one")


def test_a_step_that_somebody_else_finished_a_moment_ago(ask, people, refused):
    made = ask("test.home")
    seen = {"digest": made.digest, "step": 0}
    decided(people["one"], made)
    told = refused(Code.APPROVAL_SEAT_TAKEN, decided, people["two"], made, **seen)
    assert "one 员" in told.text("zh")
    refused(Code.APPROVAL_TWICE, decided, people["one"], made, **seen)
    decided(people["colleague"], made)
    refused(Code.APPROVAL_SEAT_TAKEN, decided, people["author"], made, **seen | {"step": 1})


def test_what_is_over_or_returned_is_decided_no_more(ask, people, refused):
    made = ask("test.two")
    decided(people["one"], made, "reject", "no plan")
    refused(Code.APPROVAL_OVER, decided, people["two"], made)
    made = ask("test.two")
    decided(people["one"], made, "supplement", "the plan")
    refused(Code.APPROVAL_RETURNED, decided, people["two"], made)


@pytest.mark.parametrize("verdict", ["reject", "supplement"])
def test_a_verdict_against_it_needs_a_reason_and_there_are_three_verdicts(ask, people, refused, verdict):
    made = ask()
    refused(Code.APPROVAL_REASON, decided, people["one"], made, verdict, "  ")
    refused(Code.APPROVAL_VERDICT, decided, people["one"], made, "maybe")
    assert decided(people["one"], made, verdict, "the plan").decisions.get().verdict == verdict


def test_another_level_and_another_organisation(ask, people, appoint, copy, refused):
    made = ask("test.way")
    decided(people["one"], made)
    told = refused(Code.APPROVAL_WRONG_LEVEL, decided, people["two"], made)
    assert "海南省" in told.text("zh") and "Hainan" in told.text("en")
    assert copy(made, "460000").in_turn_here
    refused(Code.APPROVAL_WRONG_ORGANISATION, decided, people["examiner"], made)
    neighbour = appoint("neighbour", "460200", "approver")
    refused(Code.APPROVAL_UNKNOWN, decided, neighbour, made)
    refused(Code.APPROVAL_UNKNOWN, decide, neighbour, proposal_id=10**9, digest="", step=0, verdict="approve")


def test_who_lacks_the_right_and_who_is_no_person(ask, people, refused):
    made = ask()
    without = replace(people["two"], permissions=frozenset())
    assert why_not(without, made).code is Code.PERMISSION_MISSING
    machine = Actor.process("robot", "460100")
    refused(Code.APPROVAL_NEEDS_PERSON, decided, machine, made)
    assert why_not(machine, made).code is Code.APPROVAL_NEEDS_PERSON
    refused(Code.APPROVAL_NEEDS_PERSON, propose, machine, kind="test.one", subject="x", payload={"amount": 1})
    assert why_not(people["two"], made) is None


def test_a_decider_who_was_transferred_after_the_page_was_opened(ask, people, refused):
    made = ask()
    StaffMember.objects.filter(login="one").update(organisation_id="460200")
    assert "三亚市" in refused(Code.APPROVAL_TRANSFERRED, decided, people["one"], made).text("zh")
    StaffMember.objects.filter(login="two").update(is_active=False)
    refused(Code.STAFF_INACTIVE, decided, people["two"], made)


def test_a_decider_whose_role_ended_after_the_page_was_opened(ask, people, refused):
    made = ask()
    Grant.objects.filter(staff__login="one").update(valid_to=timezone.localdate())
    refused(Code.APPROVAL_ROLE_ENDED, decided, people["one"], made)


def test_a_step_that_asks_for_presence_gets_it_once_for_this_digest(ask, people, copy, refused):
    made = ask("test.way")
    decided(people["one"], made)
    decided(people["examiner"], copy(made, "460000"))
    here = copy(made, "000000")
    reviewer = people["reviewer"]
    seen = {"proposal_id": here.pk, "digest": here.digest, "step": 2, "verdict": "approve"}
    refused(Code.CONFIRMATION_NEEDED, decide, reviewer, **seen)
    present(reviewer, ask("test.way").digest)
    present(people["second"], here.digest)
    present(replace(reviewer, session="another"), here.digest)
    refused(Code.CONFIRMATION_NEEDED, decide, reviewer, **seen)
    assert not here.decisions.filter(step=2).exists()
    present(reviewer, here.digest)
    assert decide(reviewer, **seen).decisions.filter(step=2).count() == 1


def test_a_request_is_given_to_one_person_and_back_to_all(ask, people, appoint, refused):
    made = ask("test.two")

    def give(to, reason="away", actor=people["one"]):
        staff = to and people[to].staff_id
        return reassign(actor, proposal_id=made.pk, to=staff, reason=reason)

    refused(Code.APPROVAL_REASON, give, "two", " ")
    refused(Code.PERMISSION_MISSING, give, "two", actor=people["author"])
    assert "3104" in refused(Code.APPROVAL_CANNOT_ASSIGN, give, "author").text("en")
    refused(Code.STAFF_UNKNOWN, reassign, people["one"], proposal_id=made.pk, to=10**9, reason="x")
    give("two")
    assert "two 员" in refused(Code.APPROVAL_ASSIGNED, decided, people["three"], made).text("en")
    give(None, "back at work")
    decided(people["three"], made)
    give("two")
    assert decided(people["two"], made).state == "approved"
    refused(Code.APPROVAL_NOT_HERE, give, "three")


def test_a_matter_without_a_route_and_a_kind_nobody_declared(people, appoint, refused, monkeypatch):
    monkeypatch.delenv("SHEKA_POLICY")
    made = {"subject": "x", "payload": {"amount": 1}}
    refused(Code.APPROVAL_NO_ROUTE, propose, people["author"], kind="test.one", **made)
    refused(Code.APPROVAL_UNKNOWN_KIND, propose, people["author"], kind="test.nothing", **made)
    refused(Code.PERMISSION_MISSING, propose, people["one"], kind="test.one", **made)


def test_a_matter_refuses_a_payload_that_nobody_could_decide(ask, people, refused):
    refused(Code.ISSUANCE_REFERENCE, ask, amount=0)
    made = ask()
    change = {"proposal_id": made.pk, "digest": made.digest, "payload": {"amount": 0}, "note": "none"}
    refused(Code.ISSUANCE_REFERENCE, amend, people["author"], **change)
    assert Proposal.objects.get().version == 1


def test_carrying_out_needs_the_own_approved_unaltered_request(ask, people, appoint, refused):
    made = ask()
    decided(people["one"], made)
    mine = people["author"]
    refused(Code.APPROVAL_WRONG_KIND, carry_out, mine, proposal_id=made.pk, kind="test.two")
    above = Actor.process("keys", "460000")
    refused(Code.APPROVAL_WRONG_ORGANISATION, carry_out, above, proposal_id=made.pk, kind="test.one")
    Proposal.objects.filter(pk=made.pk).update(payload={"amount": 8})
    refused(Code.APPROVAL_ALTERED, carry_out, mine, proposal_id=made.pk, kind="test.one")
