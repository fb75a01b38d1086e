"""The life of a case: nothing is lost, nothing is booked by one person, every rule says why (S10)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone
from tests.support.approvals import decided
from tests.support.payments import CITY, HOSPITAL

from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.actions.withdraw import withdraw
from sheka.office.approvals.models import Proposal
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.staff.actors import Actor
from sheka.office.work.models import WorkItem, WorkNotice
from sheka.office.work.scope import reading_as
from sheka.systems.accounts.models import PendingKind
from sheka.systems.accounts.queries import ExpiredHold, balance
from sheka.systems.clearing.actions.seal_day import seal_day
from sheka.systems.exceptions import rules
from sheka.systems.exceptions.actions.adjust_case import propose_adjustment, propose_decision
from sheka.systems.exceptions.actions.handle_case import (
    answer_case,
    ask_other_side,
    assign_case,
    close_case,
    note_case,
    reopen_case,
    take_case,
)
from sheka.systems.exceptions.actions.judge_case import judge_case, switch_rule
from sheka.systems.exceptions.actions.open_cases import Abnormal, open_cases
from sheka.systems.exceptions.actions.open_dispute import disputable_of_card, open_dispute
from sheka.systems.exceptions.actions.take_findings import take_findings
from sheka.systems.exceptions.actions.watch_case import watch_case
from sheka.systems.exceptions.check import check_exceptions
from sheka.systems.exceptions.jobs import take, watch
from sheka.systems.exceptions.models import CaseEvent, Closing, ExceptionCase, Finding, Reason, RuleUse
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.queries import case_read_by, rules_at
from sheka.systems.exceptions.sources import of_hold, of_row
from sheka.systems.exceptions.standing import accounts_of_case
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.queries import open_window
from sheka.systems.transactions.queries_of_abnormal import AbnormalRow

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S10")]
SAID = "The institution says that it served the patient."


@pytest.fixture
def officer(appoint):
    return appoint("exceptions", CITY, "exceptions_officer")


@pytest.fixture
def approver(appoint):
    return appoint("approver", CITY, "exceptions_approver")


@pytest.fixture
def paid(terminal, bank):
    """A purchase of 12.34 yuan that stands in our books."""
    purchase = terminal.new_purchase(bank.cards[0].number, 1_234)
    assert terminal.send_purchase(purchase).approved
    return purchase


def subject_of(purchase, kind=1):
    return f"{HOSPITAL}:460100000001:{purchase.at:%Y%m%d}:{purchase.stan:06d}:{kind}"


def opened(item):
    (case,) = open_cases(Actor.process("test", CITY), items=[item])
    return case


def told(kind, number=1, stan=7, **facts):
    """A row as the switch writes it."""
    now = timezone.now()
    return AbnormalRow(number, now, number, kind, HOSPITAL, CITY, "460100000001", now.date(), stan, True, facts)


def proposal_of(case):
    case.refresh_from_db()
    return Proposal.objects.get(number=case.proposal)


def notices(actor, case):
    with reading_as(actor.staff_id):
        return list(WorkNotice.objects.filter(staff_id=actor.staff_id, subject=case.key).values_list("kind", flat=True))


def only_theirs(bank, **theirs):
    return Abnormal(
        f"{HOSPITAL}:460100000001:20261120:000099:1",
        Reason.ONLY_THEIRS,
        900,
        None,
        {"line": 2, "amount": 900, "card": bank.cards[0].number, "settlement_date": "2026-11-20"} | theirs,
    )


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


def test_a_late_original_closes_its_case_by_the_tombstone_and_a_person_can_undo_it(terminal, bank, officer):
    """The real switch tells; the turn opens the case and the rule says why it is closed."""
    purchase = terminal.new_purchase(bank.cards[0].number, 30_000)
    terminal.reversal(purchase, advice=True)
    assert not terminal.send_purchase(purchase).approved
    take()
    take()
    case = ExceptionCase.objects.get(reason=Reason.REVERSAL_FIRST)
    assert (case.state, case.closing, case.amount) == ("closed", "reversed", 30_000)
    use = RuleUse.objects.get(case=case)
    assert (use.rule, use.version, use.result, use.facts["request"]["refusal"]) == ("tombstone", 1, "closed", 4425)
    assert Finding.objects.filter(case=case).count() == 1
    reopen_case(officer, number=case.number, reason="The patient says that he paid.")
    take()
    case.refresh_from_db()
    assert (case.state, case.by_hand, case.entry) == ("open", True, None), "no rule takes it out of people's hands"
    assert check_exceptions() == []


def test_what_the_switch_tells_becomes_cases_with_their_entries(terminal, bank):
    """A late reversal is resolved by its entry, another amount waits for a person: over a real line."""
    paid, other, third = (terminal.new_purchase(bank.cards[0].number, amount) for amount in (500, 600, 700))
    assert all(terminal.send_purchase(one).approved for one in (paid, other, third))
    again = replace(other, amount=601)
    assert terminal.send_purchase(again).response_code == "94"
    assert terminal.reversal(replace(third, amount=650)).response_code == "64"
    seal_day(bank.actor, settlement_date=open_window().settlement_date)
    assert terminal.reversal(paid).response_code == "00"
    take()
    cases = {case.reason: case for case in ExceptionCase.objects.all()}
    late = cases[Reason.LATE_REVERSAL]
    assert (late.state, late.amount, late.rule_uses.get().rule) == ("resolved", 500, "reversal_booked")
    assert cases[Reason.OTHER_AMOUNT].state == cases[Reason.PARTIAL_REVERSAL].state == "open"
    assert cases[Reason.OTHER_AMOUNT].suggestion["verb"] == "ask"
    assert len(cases) == 3 and check_exceptions() == []


def test_a_hold_that_nobody_completed_has_its_case(terminal, bank):
    _held, answer = terminal.pre_authorise(bank.cards[0].number, 2_000)
    assert answer.approved
    row, now = Transaction.objects.get(), timezone.now()
    hold = ExpiredHold(
        number=1,
        pending_id=row.id,
        account_id=row.account_id,
        organisation=CITY,
        kind=PendingKind.PRE_AUTHORISATION,
        amount=2_000,
        reference="",
        made_at=row.booked_at,
        expires_at=now,
        released_at=now,
    )
    place, item = of_hold(hold)
    (case,) = take_findings(Actor.process("test", place), items=[item])
    judge_case(Actor.process("test", CITY), number=case.number)
    case.refresh_from_db()
    assert (case.state, case.closing, case.amount, case.ours["transaction"]) == ("closed", "released", 2_000, row.id)
    assert take_findings(Actor.process("test", place), items=[item]) == []


def test_every_row_of_the_switch_leads_to_one_case_and_a_kind_nobody_knows_too(bank):
    process = Actor.process("test", CITY)
    kinds = ("late_original", "duplicate_differs", "reversal_amount", "late_reversal", "reversal_of_followed",
             "reversal_uncovered", "advice_refused", "batch_only_ours", "batch_only_theirs", "batch_differs",
             "wrong_mac", "wrong_pin", "clock_skew", "replay", "news_of_tomorrow")  # fmt: skip
    rows = [told(kind, number, number, amount=100) for number, kind in enumerate(kinds, 1)]
    made = take_findings(process, items=[of_row(row) for row in rows])
    assert len(made) == len(kinds)
    assert take_findings(process, items=[of_row(row) for row in rows]) == []
    assert Finding.objects.count() == len(kinds)
    assert {case.reason for case in made if "tomorrow" in case.subject} == {"other"}
    again = told("wrong_mac", 100, None), told("wrong_mac", 101, None)
    (locked,) = take_findings(process, items=[of_row(row) for row in again])
    locked.refresh_from_db()
    assert (locked.times, locked.findings.count()) == (2, 2), "what happens again is counted in the case that runs"


def test_an_unknown_outcome_is_a_state_until_our_own_books_say_it(paid, bank, monkeypatch):
    process = Actor.process("test", CITY)
    known = opened(Abnormal(subject_of(paid), Reason.UNKNOWN, 0, None, None))
    lost = opened(Abnormal(f"{HOSPITAL}:460100000001:{paid.at:%Y%m%d}:000999:1", Reason.ANSWER_LOST, 0, None, None))
    assert known.state == lost.state == "unknown"
    with pytest.raises(Refused):
        close_case(process, number=known.number, resolution=SAID)
    take()
    known.refresh_from_db()
    lost.refresh_from_db()
    assert (known.state, known.ours["amount"]) == ("resolved", 1_234)
    assert lost.state == "unknown", "it may still be on its way"
    monkeypatch.setattr(rules, "policy", lambda: replace(policy(), unknown_minutes=0))
    take()
    lost.refresh_from_db()
    assert (lost.state, lost.closing) == ("closed", "no_money_moved")
    assert set(RuleUse.objects.values_list("rule", flat=True)) == {"unknown_booked", "unknown_never_came"}
    assert check_exceptions() == []


def test_a_shift_at_the_cut_off_is_closed_on_both_sides(paid, bank):
    """We have it in one clearing day, the institution's file in the next, with the same amount."""
    day = timezone.localdate()
    ours = {"transaction": 1, "amount": 1_234, "settlement_date": day.isoformat()}
    theirs = {"line": 2, "amount": 1_234, "settlement_date": (day + timedelta(days=1)).isoformat()}
    mine = opened(Abnormal(subject_of(paid), Reason.ONLY_OURS, 1_234, ours, None))
    take()
    mine.refresh_from_db()
    assert mine.state == "open" and mine.suggestion["rule"] == "give_back"
    other = opened(Abnormal(subject_of(paid), Reason.ONLY_THEIRS, 1_234, None, theirs))
    take()
    mine.refresh_from_db()
    other.refresh_from_db()
    assert [(one.state, one.closing) for one in (mine, other)] == [("closed", "date_shift")] * 2
    two_days = replace(
        Abnormal(subject_of(paid), Reason.ONLY_THEIRS, 1_234, None, theirs),
        theirs=theirs | {"settlement_date": (day + timedelta(days=2)).isoformat()},
    )
    third = opened(two_days)
    take()
    third.refresh_from_db()
    assert third.state == "open", "two days apart is no shift at a cut-off"


def test_a_rule_that_is_off_does_nothing(bank, officer, approver):
    item = Abnormal("P1:T1:20261120:000003:1", Reason.DUPLICATE, 500, {"amount": 500}, {"amount": 500, "times": 2})
    with pytest.raises(Refused) as refusal:
        switch_rule(officer, rule="exact_duplicate", on=False, reason=SAID)
    assert refusal.value.code is Code.PERMISSION_MISSING
    with pytest.raises(Refused) as refusal:
        switch_rule(approver, rule="nothing", on=False, reason=SAID)
    assert refusal.value.code is Code.EXCEPTION_RULE
    switch_rule(approver, rule="exact_duplicate", on=False, reason=SAID)
    assert [on for rule, on, _row in rules_at(CITY) if rule.name == "exact_duplicate"] == [False]
    case = opened(item)
    take()
    case.refresh_from_db()
    assert case.state == "open"
    switch_rule(approver, rule="exact_duplicate", on=True, reason=SAID)
    judge_case(Actor.process("test", CITY), number=case.number)
    case.refresh_from_db()
    assert (case.state, case.closing) == ("closed", "duplicate")


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
