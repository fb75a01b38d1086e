"""Where cases come from, and what the automatic rules do with them and why (S10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from tests.support.exceptions import SAID, opened, subject_of, told
from tests.support.payments import CITY, HOSPITAL

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.models import PendingKind
from sheka.systems.accounts.queries import ExpiredHold
from sheka.systems.clearing.acquirer_file import render
from sheka.systems.clearing.actions.import_file import import_file
from sheka.systems.clearing.actions.net_day import net_day
from sheka.systems.clearing.actions.reconcile_day import reconcile_day
from sheka.systems.clearing.actions.seal_day import seal_day
from sheka.systems.clearing.queries import our_lines
from sheka.systems.exceptions import rules
from sheka.systems.exceptions.abnormal import Abnormal
from sheka.systems.exceptions.actions.handle_case import (
    close_case,
    reopen_case,
    take_case,
)
from sheka.systems.exceptions.actions.judge_case import judge_case, switch_rule
from sheka.systems.exceptions.actions.take_findings import take_findings
from sheka.systems.exceptions.check import check_exceptions
from sheka.systems.exceptions.jobs import take
from sheka.systems.exceptions.models import Closing, ExceptionCase, Finding, Reason, RuleUse
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.queries import rules_at
from sheka.systems.exceptions.sources import of_hold, of_row
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.queries import open_window

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S10")]


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


def test_the_reversal_of_what_was_netted_is_told_apart(terminal, bank):
    """The institution was credited already: the next net takes it back, and the case says so."""
    paid = terminal.new_purchase(bank.cards[0].number, 500)
    assert terminal.send_purchase(paid).approved
    day = seal_day(bank.actor, settlement_date=open_window().settlement_date)
    import_file(bank.actor, data=render(HOSPITAL, day.settlement_date, our_lines(day, HOSPITAL)))
    assert reconcile_day(bank.actor, day=day).flat
    net_day(bank.actor, day=day)
    assert terminal.reversal(paid).response_code == "00"
    take()
    case = ExceptionCase.objects.get()
    assert (case.reason, case.state, case.amount) == ("settled_reversal", "resolved", 500)


def test_a_difference_that_was_explained_lets_the_day_be_netted(terminal, bank, officer):
    paid = terminal.new_purchase(bank.cards[0].number, 500)
    assert terminal.send_purchase(paid).approved
    day = seal_day(bank.actor, settlement_date=open_window().settlement_date)
    (line,) = our_lines(day, HOSPITAL)
    import_file(bank.actor, data=render(HOSPITAL, day.settlement_date, [replace(line, amount=501)]))
    assert not reconcile_day(bank.actor, day=day).flat
    case = ExceptionCase.objects.get(reason=Reason.AMOUNT)
    take_case(officer, number=case.number)
    close_case(officer, number=case.number, resolution=SAID, closing=Closing.OTHER_SIDE_CORRECTS)
    assert reconcile_day(bank.actor, day=day).flat, "on the same facts it is explained"
    assert ExceptionCase.objects.count() == 1
    (net,) = net_day(bank.actor, day=day)
    assert net.amount == 500


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
    judge_case(process, number=lost.number)
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
