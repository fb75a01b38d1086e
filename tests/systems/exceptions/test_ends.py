"""Each kind that the switch tells of ends by a rule with a reason, or waits for a person; nothing disappears (S10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings as node_settings
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.approvals import decided
from tests.support.exceptions import SAID, proposal_of, told
from tests.support.payments import CITY, HOSPITAL

from sheka.foundation.refusals import Refused
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.models import Entry
from sheka.systems.clearing.acquirer_file import render
from sheka.systems.clearing.actions.import_file import import_file
from sheka.systems.clearing.actions.reconcile_day import reconcile_day
from sheka.systems.clearing.actions.seal_day import seal_day
from sheka.systems.clearing.queries import our_lines
from sheka.systems.exceptions import jobs
from sheka.systems.exceptions.actions import take_findings as taking
from sheka.systems.exceptions.actions.adjust_case import propose_adjustment
from sheka.systems.exceptions.actions.handle_case import close_case, give_back_case, note_case, reopen_case, take_case
from sheka.systems.exceptions.actions.judge_case import judge_case
from sheka.systems.exceptions.actions.look_again import look_again
from sheka.systems.exceptions.actions.take_findings import take_findings
from sheka.systems.exceptions.check import check_exceptions
from sheka.systems.exceptions.jobs import take, watch
from sheka.systems.exceptions.models import ExceptionCase, Finding, Reason, RuleUse
from sheka.systems.exceptions.policy import policy
from sheka.systems.exceptions.sources import KINDS, of_row
from sheka.systems.exceptions.states import ENDED, RUNNING
from sheka.systems.transactions.models import Terminal as TerminalRow
from sheka.systems.transactions.queries import open_window
from sheka.systems.transactions.terminal import Totals

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S10")]
FIRST = "460100000001"


@pytest.fixture
def at_once(monkeypatch):
    """A batch out of balance waits for no upload, an open case is looked at in every turn."""
    changed = replace(policy(), batch_minutes=0, again_minutes=0)
    for module in (taking, jobs):
        monkeypatch.setattr(module, "policy", lambda: changed)


def opened_for(*rows):
    return take_findings(Actor.process("test", CITY), items=[of_row(row) for row in rows])


def now_of(case):
    case.refresh_from_db()
    return case.state


@pytest.mark.req("S8")
def test_a_settlement_out_of_balance_that_nothing_follows_is_a_case(terminal, bank, at_once):
    day = f"{open_window().settlement_date:%m%d}"
    assert terminal.purchase(bank.cards[0].number, 700).approved
    assert terminal.settle(day, Totals(debits=2, debits_sum=1_700)).response_code == "95"
    take()
    case = ExceptionCase.objects.get()
    assert (case.reason, case.state, case.amount) == ("unbalanced", "open", 1_000)
    assert (case.ours["debits"], case.theirs["debits"], case.ours["debits_count"]) == (700, 1_700, 1)
    assert case.suggestion["rule"] == "ask_first"
    watch()
    assert now_of(case) == "open" and RuleUse.objects.filter(case=case).count() == 1, "suggested once"
    assert terminal.settle(day, Totals(debits=1, debits_sum=700)).approved, "the terminal put it right"
    watch()
    assert (now_of(case), case.closing, case.rule_uses.first().rule) == ("closed", "explained", "batch_followed")
    take()
    assert ExceptionCase.objects.count() == 1 and check_exceptions() == []


@pytest.mark.req("S8")
def test_a_day_that_is_flat_item_by_item_explains_a_settlement(terminal, bank, at_once):
    day = open_window().settlement_date
    assert terminal.purchase(bank.cards[0].number, 700).approved
    assert terminal.settle(f"{day:%m%d}", Totals()).response_code == "95"
    take()
    case = ExceptionCase.objects.get()
    sealed = seal_day(bank.actor, settlement_date=day)
    watch()
    assert now_of(case) == "open", "nothing is explained before the day is reconciled"
    import_file(bank.actor, data=render(HOSPITAL, day, our_lines(sealed, HOSPITAL)))
    assert reconcile_day(bank.actor, day=sealed).flat
    watch()
    assert (now_of(case), case.rule_uses.first().rule) == ("closed", "batch_day_flat")


def test_a_terminal_that_is_released_ends_the_case_of_its_lock(bank):
    (case,) = opened_for(told("wrong_mac", 1, None, times=10, locked=True))
    TerminalRow.objects.filter(number=FIRST).update(state="locked")
    judge_case(Actor.process("test", CITY), number=case.number)
    assert now_of(case) == "open" and case.suggestion["verb"] == "ask"
    assert look_again(Actor.process("test", CITY), numbers=[case.number]) == []
    TerminalRow.objects.filter(number=FIRST).update(state="active")
    assert look_again(Actor.process("test", CITY), numbers=[case.number]) == [case.number]
    assert (now_of(case), case.rule_uses.first().rule) == ("closed", "unlocked")


def test_a_clock_that_is_right_again_ends_its_case(terminal, bank):
    (case,) = opened_for(told("clock_skew", 1, None, field_7="1122000000"))
    wrong = timezone.now() - timedelta(hours=25)
    parameters = node_settings.NODE.cluster.parameters(node_settings.NODE.file.database.name, "postgres")
    with psycopg.connect(**parameters) as keeper:  # as the switch counts it, a day ago
        keeper.execute(
            "INSERT INTO transactions_terminalfault (terminal_id, kind, times, since, last_at)"
            " SELECT id, 'clock', 3, %s, %s FROM transactions_terminal WHERE number = %s",
            [wrong, wrong, FIRST],
        )
    numbers = [case.number]
    assert look_again(Actor.process("test", CITY), numbers=numbers) == [], "it has not spoken since"
    assert terminal.purchase(bank.cards[0].number, 1).approved
    assert look_again(Actor.process("test", CITY), numbers=numbers) == numbers
    assert (now_of(case), case.rule_uses.first().rule) == ("closed", "clock_right")


def test_a_replay_is_closed_and_many_of_one_terminal_are_for_a_person(bank):
    many = policy().many_times
    cases = opened_for(*(told("replay", number, number, amount=100) for number in range(1, many)))
    jobs.judge_all()
    assert {now_of(case) for case in cases} == {"closed"}
    (last,) = opened_for(told("replay", many, many, amount=100))
    jobs.judge_all()
    assert (now_of(last), last.suggestion["rule"]) == ("open", "many_replays")
    (elsewhere,) = opened_for(replace(told("replay", 99, 99, amount=1), terminal="460100000002"))
    jobs.judge_all()
    assert now_of(elsewhere) == "closed"


VERBS = ("take", "give_back", "note", "close", "reopen", "adjust", "approve", "reject", "judge", "watch")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_done_with_them_every_abnormal_row_has_its_end_or_an_open_case(bank, officer, approver, data):
    """Rows of every kind, in any order, also told twice; people and rules do what they may; then nothing is lost."""
    start = Finding.objects.count() + 1
    kinds = data.draw(st.lists(st.sampled_from([*sorted(KINDS), "news"]), min_size=1, max_size=6))
    stans = data.draw(st.lists(st.integers(1, 3), min_size=len(kinds), max_size=len(kinds)))
    card = bank.cards[1].number
    rows = [
        told(kind, start + at, stan, amount=100 + at, booked=100, card=card)
        for at, (kind, stan) in enumerate(zip(kinds, stans, strict=True))
    ]
    opened_for(*rows)
    opened_for(*rows)
    found = Finding.objects.filter(number__gte=start)
    assert found.count() == len(rows), "each row leads to one case, told twice or not"
    numbers = sorted({one.case.number for one in found.select_related("case")})
    for verb in data.draw(st.lists(st.sampled_from(VERBS), max_size=12)):
        number = data.draw(st.sampled_from(numbers))
        try:
            _do(verb, number, officer, approver)
        except Refused:
            continue
    for case in ExceptionCase.objects.filter(number__in=numbers):
        assert case.state in RUNNING or (case.state in ENDED and (case.entry or case.closing) and case.resolution)
        if case.entry:
            assert sum(Entry.objects.filter(posting_id=case.entry).values_list("amount", flat=True)) == 0
    assert [loss for loss in check_exceptions() if loss.check != "abnormal rows without a case"] == []
    bank.assert_ledger_holds()


def _do(verb, number, officer, approver):
    match verb:
        case "take" | "give_back":
            {"take": take_case, "give_back": give_back_case}[verb](officer, number=number)
        case "note":
            note_case(officer, number=number, text=SAID)
        case "close":
            close_case(officer, number=number, resolution=SAID)
        case "reopen":
            reopen_case(officer, number=number, reason=SAID)
        case "adjust":
            asked = {"debit": "suspense", "credit": "institution", "amount": 5, "reason": SAID}
            propose_adjustment(officer, number=number, **asked)
        case "approve" | "reject":
            case = ExceptionCase.objects.get(number=number)
            if case.state == "proposed":
                decided(approver, proposal_of(case), *(() if verb == "approve" else ("reject", SAID)))
        case "judge":
            judge_case(Actor.process("test", CITY), number=number)
        case _:
            watch()


def test_the_reasons_that_begin_as_unknown_have_rules_for_every_outcome():
    """Whatever our books say of a request without an answer, some rule of the policy ends it."""
    tests = {"reversed", "repeated", "booked", "refused", "never_came"}
    for reason in (Reason.UNKNOWN, Reason.ANSWER_LOST, Reason.TIME_OUT):
        assert tests <= {rule.test for rule in policy().rules if reason in rule.reasons and rule.effect != "suggest"}
