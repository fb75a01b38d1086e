"""The life of a case: nothing is lost, nothing is booked by one person, a dispute is decided by two (S10)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone
from tests.support.approvals import decided
from tests.support.exceptions import SAID, notices, only_theirs, opened, proposal_of
from tests.support.payments import CITY, HOSPITAL

from sheka.foundation.calendar import add_working_days
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.actions.withdraw import withdraw
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.staff.actors import Actor
from sheka.office.work.models import WorkItem
from sheka.systems.accounts.queries import balance
from sheka.systems.cards.models import Card
from sheka.systems.exceptions.actions.adjust_case import propose_adjustment, propose_decision
from sheka.systems.exceptions.actions.handle_case import (
    answer_case,
    ask_other_side,
    assign_case,
    close_case,
    extend_case,
    note_case,
    reopen_case,
    take_case,
)
from sheka.systems.exceptions.actions.open_dispute import disputable_of_card, open_dispute
from sheka.systems.exceptions.actions.watch_case import watch_case
from sheka.systems.exceptions.check import check_exceptions
from sheka.systems.exceptions.jobs import take, watch
from sheka.systems.exceptions.models import CaseEvent, Closing, ExceptionCase
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.queries import case_read_by
from sheka.systems.exceptions.standing import accounts_of_case
from sheka.systems.transactions.queries import verify_transactions
from sheka.systems.transactions.queries_of_abnormal import went_back

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S10")]


def test_an_adjustment_is_booked_once_and_only_when_another_person_agrees(bank, officer, approver):
    case = opened(only_theirs(bank))
    take_case(officer, number=case.number)
    asked = {"number": case.number, "debit": "personal", "credit": "institution", "amount": 900, "reason": SAID}
    with pytest.raises(Refused) as refusal:
        propose_adjustment(officer, **asked | {"credit": "personal"})
    assert refusal.value.code is Code.EXCEPTION_SAME_ACCOUNT
    with pytest.raises(Refused) as refusal:
        propose_adjustment(officer, **asked | {"amount": 10**9})
    assert refusal.value.code is Code.EXCEPTION_AMOUNT
    propose_adjustment(officer, **asked)
    proposal = proposal_of(case)
    assert (case.state, bank.balance()) == ("proposed", 100_000), "nothing is booked before it is approved"
    with pytest.raises(Refused) as refusal:
        decided(officer, proposal)
    assert refusal.value.code in (Code.APPROVAL_OWN, Code.PERMISSION_MISSING)
    decided(approver, proposal)
    case.refresh_from_db()
    assert (case.state, case.entry, bank.balance()) == ("resolved", proposal.result["posting"], 99_100)
    with pytest.raises(Refused):
        decided(approver, proposal)
    assert bank.balance() == 99_100
    with pytest.raises(Refused) as refusal:
        close_case(officer, number=case.number, resolution=SAID)
    assert refusal.value.code is Code.STATE_FORBIDS
    bank.assert_ledger_holds()
    assert check_exceptions() == []


def test_what_the_account_does_not_cover_is_not_booked_and_goes_back(bank, officer, approver):
    """No overdraft, by an adjustment neither (C2): the approval fails whole, and the officer goes on."""
    case = opened(only_theirs(bank))
    take_case(officer, number=case.number)
    asked = {"number": case.number, "debit": "personal", "credit": "institution", "reason": SAID}
    propose_adjustment(officer, **asked, amount=100_001)
    proposal = proposal_of(case)
    with pytest.raises(Refused) as refusal:
        decided(approver, proposal)
    assert refusal.value.code is Code.BALANCE_INSUFFICIENT or refusal.value.number in (4303, 4421)
    assert bank.balance() == 100_000
    withdraw(officer, proposal_id=proposal.pk, reason=SAID)
    watch()
    case.refresh_from_db()
    assert (case.state, case.holder, case.proposal) == ("in_hand", officer.name, None)
    propose_adjustment(officer, **asked, amount=900)
    decided(approver, proposal_of(case))
    assert bank.balance() == 99_100


def test_what_was_approved_is_booked_on_the_accounts_that_the_approver_saw(bank, officer, approver):
    """The card of the case belongs to somebody else by now: nothing is taken from whoever that is."""
    case = opened(only_theirs(bank))
    take_case(officer, number=case.number)
    asked = {"number": case.number, "debit": "personal", "credit": "institution", "amount": 900, "reason": SAID}
    propose_adjustment(officer, **asked)
    proposal = proposal_of(case)
    Card.objects.filter(pk=bank.cards[1].pk).update(state="cancelled")
    Card.objects.filter(pk=bank.cards[0].pk).update(person_id=bank.cards[1].person_id)
    with pytest.raises(Refused) as refusal:
        decided(approver, proposal)
    assert refusal.value.code is Code.EXCEPTION_OTHER_REQUEST
    assert (bank.balance(0), bank.balance(1)) == (100_000, 100_000)
    withdraw(officer, proposal_id=proposal.pk, reason=SAID)
    watch()
    propose_adjustment(officer, **asked)
    decided(approver, proposal_of(case))
    assert (bank.balance(0), bank.balance(1)) == (100_000, 99_100)


def test_the_suspense_account_is_opened_when_it_is_needed(bank, officer, approver):
    case = opened(only_theirs(bank))
    assert set(accounts_of_case(case)) == {"personal", "institution"}
    take_case(officer, number=case.number)
    propose_adjustment(officer, number=case.number, debit="suspense", credit="institution", amount=900, reason=SAID)
    decided(approver, proposal_of(case))
    accounts = accounts_of_case(case)
    assert (balance(accounts["suspense"]), balance(accounts["institution"])) == (-900, 900)
    bank.assert_ledger_holds()


def test_a_refused_request_gives_the_case_back_to_its_holder(bank, officer, approver):
    case = opened(only_theirs(bank))
    take_case(officer, number=case.number)
    propose_adjustment(officer, number=case.number, debit="suspense", credit="institution", amount=900, reason=SAID)
    decided(approver, proposal_of(case), "reject", "Ask the institution first.")
    watch_case(Actor.process("test", CITY), number=case.number)
    case.refresh_from_db()
    assert (case.state, case.holder_id) == ("in_hand", officer.staff_id)
    assert notices(officer, case) == ["exception.told"]
    assert WorkItem.objects.get(subject=case.key, state="open").assignee_id == officer.staff_id


def test_the_institution_is_asked_and_answers_or_the_clock_goes_on(bank, officer):
    case = opened(only_theirs(bank))
    take_case(officer, number=case.number)
    ask_other_side(officer, number=case.number, text="Please send the slip of line 2.")
    case.refresh_from_db()
    assert case.state == "asked" and case.answer_due_on > timezone.localdate()
    add_organisation(
        Actor.process("test", CITY),
        code=HOSPITAL,
        name="医院",
        name_en="Hospital",
        kind="hospital",
        region=CITY,
        parent=CITY,
        valid_from=timezone.localdate(),
    )
    books = replace(officer, name="client", staff_id=None, books=officer.path)
    with pytest.raises(Refused):
        answer_case(replace(books, organisation="460100-01"), number=case.number, text=SAID)
    partner = replace(books, organisation=HOSPITAL)
    answer_case(partner, number=case.number, text=SAID)
    case.refresh_from_db()
    assert case.state == "in_hand" and case.events.filter(told=True).count() == 2
    ask_other_side(officer, number=case.number, text="And the prescription, please.")
    ExceptionCase.objects.filter(pk=case.pk).update(answer_due_on=timezone.localdate() - timedelta(days=1))
    watch()
    case.refresh_from_db()
    assert (case.state, case.events.last().facts) == ("in_hand", {"silent": True})


def test_what_is_late_is_told_to_the_approvers_once(bank, officer, approver):
    case = opened(only_theirs(bank))
    assert case.due_on > timezone.localdate()
    ExceptionCase.objects.filter(pk=case.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    watch()
    watch()
    assert CaseEvent.objects.filter(case=case, verb="late").count() == 1
    assert notices(approver, case) == ["exception.late"]


def test_an_approver_assigns_and_only_the_holder_works_on_it(bank, officer, approver, appoint):
    case = opened(only_theirs(bank))
    other = appoint("second", CITY, "exceptions_officer")
    with pytest.raises(Refused) as refusal:
        assign_case(approver, number=case.number, staff_id=approver.staff_id)
    assert refusal.value.code is Code.EXCEPTION_NO_OFFICER
    assign_case(approver, number=case.number, staff_id=officer.staff_id)
    with pytest.raises(Refused) as refusal:
        close_case(other, number=case.number, resolution=SAID)
    assert refusal.value.code is Code.EXCEPTION_OTHER_HOLDER
    take_case(other, number=case.number)
    note_case(officer, number=case.number, text=SAID)
    with pytest.raises(Refused) as refusal:
        close_case(other, number=case.number, resolution=SAID, closing="because")
    assert refusal.value.code is Code.EXCEPTION_CLOSING
    close_case(other, number=case.number, resolution=SAID, closing=Closing.OTHER_SIDE_CORRECTS)


def test_a_dispute_is_opened_once_decided_by_two_and_booked(paid, bank, officer, approver, appoint):
    clerk = appoint("clerk", "460100-01", "clerk")
    (row,) = disputable_of_card(clerk, card_number=bank.cards[0].number)
    asked = {"client_id": uuid.uuid4(), "transaction": row.id, "complaint": "twice", "claimed": 1_000, "text": SAID}
    with pytest.raises(Refused) as refusal:
        open_dispute(clerk, **asked | {"claimed": 1_235})
    assert refusal.value.code is Code.EXCEPTION_AMOUNT
    case = open_dispute(clerk, **asked)
    assert open_dispute(clerk, **asked) == case
    with pytest.raises(Refused) as refusal:
        open_dispute(clerk, **asked | {"claimed": 999})
    assert refusal.value.code is Code.EXCEPTION_DIFFERS
    with pytest.raises(Refused) as refusal:
        open_dispute(clerk, **asked | {"client_id": uuid.uuid4()})
    assert refusal.value.code is Code.EXCEPTION_ANOTHER
    assert case_read_by(clerk, case.number) == case
    with pytest.raises(Refused):
        case_read_by(appoint("other", "460106", "clerk"), case.number)
    take_case(officer, number=case.number)
    with pytest.raises(Refused) as refusal:
        close_case(officer, number=case.number, resolution=SAID)
    assert refusal.value.code is Code.EXCEPTION_DISPUTE_DECIDED
    propose_decision(officer, number=case.number, outcome="partly", amount=600, reason=SAID)
    case.dispute.refresh_from_db()
    assert (case.dispute.outcome, case.dispute.decided_at) == ("partly", None), "provisional"
    assert bank.balance() == 98_766
    decided(approver, proposal_of(case))
    case.refresh_from_db()
    assert (case.state, bank.balance()) == ("resolved", 99_366)
    assert notices(clerk, case) == ["exception.told"], "the clerk tells the citizen"
    assert case.events.filter(told=True, verb="resolve").exists(), "the institution reads it with the case"
    bank.assert_ledger_holds()


def test_a_dispute_that_is_not_upheld_books_nothing(paid, bank, officer, approver, appoint):
    clerk = appoint("clerk", "460100-01", "clerk")
    (row,) = disputable_of_card(clerk, card_number=bank.cards[0].number)
    case = open_dispute(
        clerk, client_id=uuid.uuid4(), transaction=row.id, complaint="not_made", claimed=1_234, text=SAID
    )
    take_case(officer, number=case.number)
    propose_decision(officer, number=case.number, outcome="not_upheld", reason="The PIN was right.")
    decided(approver, proposal_of(case))
    case.refresh_from_db()
    assert (case.state, case.closing, case.entry, bank.balance()) == ("closed", "not_upheld", None, 98_766)


def test_all_decisions_about_a_dispute_grant_no_more_than_was_claimed(paid, bank, officer, approver, appoint):
    """Opened again, a decision is provisional again; what was booked before counts."""
    clerk = appoint("clerk", "460100-01", "clerk")
    (row,) = disputable_of_card(clerk, card_number=bank.cards[0].number)
    asked = {"transaction": row.id, "complaint": "twice", "claimed": 1_000, "text": SAID}
    case = open_dispute(clerk, client_id=uuid.uuid4(), **asked)
    take_case(officer, number=case.number)
    propose_decision(officer, number=case.number, outcome="partly", amount=600, reason=SAID)
    decided(approver, proposal_of(case))
    reopen_case(officer, number=case.number, reason="A second slip was found.")
    case.dispute.refresh_from_db()
    assert (case.dispute.decided_at, case.dispute.outcome, case.dispute.granted) == (None, "", 600)
    take_case(officer, number=case.number)
    for outcome, amount in (("upheld", 1_000), ("partly", 400), ("upheld", 401)):
        with pytest.raises(Refused) as refusal:
            propose_decision(officer, number=case.number, outcome=outcome, amount=amount, reason=SAID)
        assert refusal.value.code is Code.EXCEPTION_GRANTED
    propose_decision(officer, number=case.number, outcome="upheld", amount=400, reason=SAID)
    decided(approver, proposal_of(case))
    case.dispute.refresh_from_db()
    assert (case.dispute.granted, bank.balance()) == (1_000, 98_766 + 1_000)
    assert check_exceptions() == []


def test_what_went_back_already_is_not_granted_again(paid, terminal, bank, officer, approver, appoint):
    """A second dispute about the same purchase, or one about what the pharmacy has refunded, was paid once more."""
    clerk = appoint("clerk", "460100-01", "clerk")
    (row,) = disputable_of_card(clerk, card_number=bank.cards[0].number)
    asked = {"transaction": row.id, "complaint": "twice", "claimed": 1_000, "text": SAID}
    case = open_dispute(clerk, client_id=uuid.uuid4(), **asked)
    take_case(officer, number=case.number)
    propose_decision(officer, number=case.number, outcome="upheld", amount=1_000, reason=SAID)
    decided(approver, proposal_of(case))
    again = open_dispute(clerk, client_id=uuid.uuid4(), **asked | {"claimed": 234})
    take_case(officer, number=again.number)
    propose_decision(officer, number=again.number, outcome="upheld", amount=234, reason=SAID)
    assert terminal.refund(paid, 100)[1].approved
    proposal = proposal_of(again)
    with pytest.raises(Refused) as refusal:
        decided(approver, proposal)
    assert refusal.value.code is Code.EXCEPTION_WENT_BACK
    assert bank.balance() == 98_766 + 1_000 + 100
    withdraw(officer, proposal_id=proposal.pk, reason=SAID)
    watch()
    with pytest.raises(Refused) as refusal:
        propose_decision(officer, number=again.number, outcome="upheld", amount=234, reason=SAID)
    assert refusal.value.code is Code.EXCEPTION_WENT_BACK
    propose_decision(officer, number=again.number, outcome="partly", amount=134, reason=SAID)
    decided(approver, proposal_of(again))
    assert bank.balance() == 98_766 + 1_234
    assert check_exceptions() == []


def test_what_a_dispute_gave_back_is_not_refunded_once_more(paid, terminal, bank, officer, approver, appoint):
    """The till knew nothing of decisions: the pharmacy paid the dispute, and then its own refund."""
    clerk = appoint("clerk", "460100-01", "clerk")
    (row,) = disputable_of_card(clerk, card_number=bank.cards[0].number)
    asked = {"transaction": row.id, "complaint": "wrong_amount", "claimed": 1_000, "text": SAID}
    case = open_dispute(clerk, client_id=uuid.uuid4(), **asked)
    take_case(officer, number=case.number)
    propose_decision(officer, number=case.number, outcome="upheld", amount=1_000, reason=SAID)
    decided(approver, proposal_of(case))
    assert terminal.refund(paid, 235)[1].refusal == Code.REFUND_ABOVE_ORIGINAL.value
    assert terminal.refund(paid, 234)[1].approved
    assert bank.balance() == 100_000
    assert terminal.reversal(paid).refusal == Code.ORIGINAL_FOLLOWED.value
    assert bank.balance() == 100_000
    assert went_back(row.id) == 234
    assert verify_transactions() == check_exceptions() == []


def test_a_deadline_is_extended_once_with_a_reason_that_both_sides_read(bank, officer, approver):
    case = opened(only_theirs(bank))
    ExceptionCase.objects.filter(pk=case.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    watch()
    with pytest.raises(Refused) as refusal:
        extend_case(officer, number=case.number, reason=SAID)
    assert refusal.value.code is Code.PERMISSION_MISSING
    due = extend_case(approver, number=case.number, reason="The archive needs a week.").due_on
    assert due == add_working_days(timezone.localdate(), policy().extend_days).day
    assert WorkItem.objects.get(subject=case.key, state="open").due_on == due
    with pytest.raises(Refused) as refusal:
        extend_case(approver, number=case.number, reason=SAID)
    assert refusal.value.code is Code.EXCEPTION_EXTENDED
    assert case.events.get(verb="extend").told


def test_what_happened_to_a_case_cannot_be_changed_or_deleted(bank):
    case = opened(only_theirs(bank))
    take()
    for statement in (
        "UPDATE exceptions_caseevent SET text = 'x'",
        "DELETE FROM exceptions_ruleuse",
        "DELETE FROM exceptions_exceptioncase",
        "UPDATE exceptions_exceptioncase SET subject = 'x'",
    ):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    case.refresh_from_db()


def test_nobody_outside_sees_a_case(bank, appoint):
    case = opened(only_theirs(bank))
    with pytest.raises(Refused) as refusal:
        take_case(appoint("sanya", "460200", "exceptions_officer"), number=case.number)
    assert refusal.value.code is Code.EXCEPTION_UNKNOWN
    with pytest.raises(Refused):
        case_read_by(appoint("acc", CITY, "account_officer"), case.number)
