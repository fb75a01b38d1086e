"""An answer that did not come, at each hop: the case begins as unknown and ends by what the books say (S4, S10).

If one of these failed, a citizen would be debited by a switch that died, and nobody would ever look.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from django.conf import settings
from tests.support.lines import plain_mac
from tests.support.payments import CITY, HOSPITAL, SwitchProcess

from sheka.foundation.refusals import Code, Refused
from sheka.systems.exceptions import rules
from sheka.systems.exceptions.actions import judge_case, take_findings
from sheka.systems.exceptions.check import check_exceptions
from sheka.systems.exceptions.jobs import judge_all, take
from sheka.systems.exceptions.models import ExceptionCase, Finding, Reason, RuleUse, Watermark
from sheka.systems.exceptions.policy import policy
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.switch.settings import SECRET_VARIABLE
from sheka.systems.transactions.terminal import Terminal
from sheka.systems.transactions.watch_models import ProcessPulse, SwitchMessage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4"), pytest.mark.req("S10")]
FIRST = "460100000001"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE application_name = 'switch' AND wait_event_type = 'Lock' AND datname = current_database()"
)


def until(condition, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


@contextmanager
def administrator():
    parameters = settings.NODE.cluster.parameters(settings.NODE.file.database.name, "postgres")
    with psycopg.connect(**parameters) as connection:
        yield connection


def machine_process() -> int:
    """The process id of Haikou's encryption machine: who listens at its address."""
    address = settings.NODE.machine_address(settings.NODE.machine(CITY).name)
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(address).removeprefix("unix:"))
        return struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


@pytest.fixture
def now(monkeypatch):
    """Nothing is waited for: neither a process that shows no sign of life, nor a terminal that may speak again."""
    monkeypatch.setattr(take_findings, "QUIET_SECONDS", 0)
    monkeypatch.setattr(take_findings, "PATIENCE_SECONDS", 0)
    return lambda: monkeypatch.setattr(rules, "policy", lambda: replace(policy(), unknown_minutes=0))


def judged(case):
    ExceptionCase.objects.filter(pk=case.pk).update(judged_at=None)
    judge_all()
    case.refresh_from_db()
    return case.state, case.closing, RuleUse.objects.get(case=case).rule


def test_a_switch_killed_between_booking_and_answer_leaves_no_unknown(bank, now):
    """The purchase waits for its account, the machine is frozen, the account let go: booked, and never answered."""
    switch = SwitchProcess()
    machine, frozen = machine_process(), False
    with plain_mac(bank) as mac, ThreadPoolExecutor(1) as pool, administrator() as keeper, administrator() as watcher:
        terminal = Terminal(switch.host, switch.port, FIRST, HOSPITAL, mac)
        purchase = terminal.new_purchase(bank.cards[0].number, 1_000)
        try:
            until(ProcessPulse.objects.exists)  # its first sign of life
            forged = terminal.encoded("0201", terminal._purchase_fields(purchase))[:-8] + bytes(8)
            terminal.exchange(forged)  # whoever says that number with a wrong MAC hides nothing
            until(SwitchMessage.objects.filter(type="0201").exists)
            keeper.execute("SELECT id FROM accounts_account WHERE kind = 'personal' FOR UPDATE")
            asked = pool.submit(terminal.send_purchase, purchase)
            until(lambda: watcher.execute(WAITING).fetchone()[0] or watcher.rollback())
            os.kill(machine, signal.SIGSTOP)
            frozen = True
            keeper.commit()
            until(Transaction.objects.filter(refusal=0).exists)
        finally:
            keeper.rollback()
            switch.kill()
            if frozen:
                os.kill(machine, signal.SIGCONT)
        with pytest.raises(Refused) as refusal:
            asked.result(20)
        assert refusal.value.code is Code.SWITCH_OUTCOME_UNKNOWN
    assert not SwitchMessage.objects.filter(type="0200").exists(), "the journal is written behind the answers"
    assert bank.balance() == 99_000
    take()
    take()
    case = ExceptionCase.objects.get()
    assert (case.reason, case.state, case.amount, case.facts["hop"]) == ("unknown", "unknown", 1_000, "switch")
    assert case.ours["transaction"] == Transaction.objects.get().id, "what our books have, beside it"
    other = SwitchProcess()
    try:
        with Terminal(other.host, other.port, FIRST, HOSPITAL, bank.mac) as terminal:
            assert terminal.reversal(purchase, advice=True).response_code == "00"
    finally:
        other.stop()
    assert judged(case) == ("closed", "reversed", "unknown_reversed")
    assert bank.balance() == 100_000
    take()
    assert ExceptionCase.objects.filter(reason=Reason.UNKNOWN).count() == 1, "a booking leads to one case"
    bank.assert_ledger_holds()
    assert check_exceptions() == []


def test_an_orderly_stop_and_an_answered_purchase_are_nothing_abnormal(bank, now):
    switch = SwitchProcess()
    with Terminal(switch.host, switch.port, FIRST, HOSPITAL, bank.mac) as terminal:
        assert terminal.purchase(bank.cards[0].number, 1).approved
    until(ProcessPulse.objects.exists)
    switch.stop()
    take()
    assert not ExceptionCase.objects.exists() and Watermark.objects.get(source="process").number > 0
    assert check_exceptions() == []


def test_a_repeat_tells_that_an_answer_was_lost_on_the_line(terminal, bank, now):
    """Hop of terminal and switch: the terminal asks again, gets the stored answer, and both sides know."""
    purchase = terminal.new_purchase(bank.cards[0].number, 500)
    assert terminal.send_purchase(purchase).approved
    assert terminal.send_purchase(purchase, repeat=True).approved
    until(SwitchMessage.objects.filter(type="0201").exists)
    take()
    case = ExceptionCase.objects.get()
    assert (case.reason, case.facts["hop"], case.state) == ("answer_lost", "line", "resolved")
    assert (case.rule_uses.get().rule, case.entry) == ("unknown_repeated", Transaction.objects.get().id)
    take()
    assert Finding.objects.count() == 1
    assert check_exceptions() == []


def test_without_the_machine_nothing_is_booked_and_the_request_has_its_case(bank, now, monkeypatch):
    """Hop of switch and machine: nothing could be proved, so nothing was booked; the journal holds the request."""
    monkeypatch.setenv(SECRET_VARIABLE, "00" * 32)
    lonely = SwitchProcess(None, "--dsn", settings.NODE.dsn("switch"), "--machine", "460100=unix:/nowhere/machine.sock")
    try:
        with (
            Terminal(lonely.host, lonely.port, FIRST, HOSPITAL, bank.mac, timeout=5) as terminal,
            pytest.raises(Refused),
        ):
            terminal.purchase(bank.cards[0].number, 1)
        until(SwitchMessage.objects.filter(went_at=None).exists)
    finally:
        lonely.stop()
    take()
    case = ExceptionCase.objects.get()
    assert (case.reason, case.facts["hop"], case.state) == ("time_out", "machine", "unknown")
    now()
    assert judged(case) == ("closed", "no_money_moved", "unknown_never_came")
    assert not Transaction.objects.exists() and check_exceptions() == []


def test_what_the_database_did_not_say_in_time_has_its_case(terminal, bank, now):
    """Hop of switch and database: the terminal was told 96/4430; the books know what became of it."""
    purchase = terminal.new_purchase(bank.cards[0].number, 700)
    assert terminal.send_purchase(purchase).approved
    with administrator() as keeper:  # as the switch writes it when the database was away for longer than its patience
        keeper.execute("SELECT transactions_ensure_message_day(%s)", [purchase.at.date()])
        keeper.execute(
            "SELECT switch_journal(%s, 'test', %s, %s, %s, ARRAY[4430], ARRAY[4], ARRAY[%s], ARRAY['0200'], ARRAY[%s],"
            " ARRAY['test'], ARRAY['0200'::bytea], ARRAY['0210'::bytea])",
            [purchase.at.date(), *[[int(time.time() * 1e6) - 10**6]] * 2, [purchase.stan], FIRST, CITY],
        )
    take()
    case = ExceptionCase.objects.get()
    assert (case.reason, case.facts["hop"], case.state) == ("time_out", "database", "unknown"), "it may speak again"
    now()
    assert judged(case) == ("resolved", "", "unknown_booked")
    assert check_exceptions() == []


def test_a_reversal_that_could_not_be_booked_is_for_a_person(bank, now, monkeypatch):
    """It came while the machine was away and never again: the purchase stands in the books, and the till has taken the
    goods back. To end this by itself would keep a citizen's money.
    """
    switch = SwitchProcess()
    with Terminal(switch.host, switch.port, FIRST, HOSPITAL, bank.mac) as terminal:
        purchase = terminal.new_purchase(bank.cards[0].number, 700)
        assert terminal.send_purchase(purchase).approved
        assert terminal.send_purchase(purchase, repeat=True).approved
    switch.stop()
    monkeypatch.setenv(SECRET_VARIABLE, "00" * 32)
    lonely = SwitchProcess(None, "--dsn", settings.NODE.dsn("switch"), "--machine", "460100=unix:/nowhere/machine.sock")
    try:
        with (
            Terminal(lonely.host, lonely.port, FIRST, HOSPITAL, bank.mac, timeout=5) as terminal,
            pytest.raises(Refused),
        ):
            terminal.reversal(purchase)
        until(SwitchMessage.objects.filter(went_at=None).exists)
    finally:
        lonely.stop()
    take()
    case = ExceptionCase.objects.get(reason=Reason.TIME_OUT)
    assert (case.facts["type"], case.state) == ("0400", "unknown")
    now()
    ExceptionCase.objects.update(judged_at=None)
    judge_all()
    case.refresh_from_db()
    assert case.state == "unknown" and not case.rule_uses.exists()
    monkeypatch.setattr(judge_case, "policy", lambda: replace(policy(), unknown_minutes=0))
    ExceptionCase.objects.update(judged_at=None)
    judge_all()
    case.refresh_from_db()
    assert case.state == "open" and not case.rule_uses.exists(), "somebody has it in the list of work"
    assert check_exceptions() == []


def test_a_stranger_repeats_nothing_and_a_till_that_repeats_often_has_one_case(terminal, bank, now):
    """A 0201 with a wrong MAC opened a case in the name of a terminal that never sent it; each repeat another."""
    purchase = terminal.new_purchase(bank.cards[0].number, 500)
    assert terminal.send_purchase(purchase).approved
    forged = terminal.encoded("0201", terminal._purchase_fields(purchase))[:-8] + bytes(8)
    for _ in range(2):
        terminal.exchange(forged)
    until(lambda: SwitchMessage.objects.filter(type="0201").count() == 2)
    take()
    assert not ExceptionCase.objects.exists()
    for _ in range(3):
        assert terminal.send_purchase(purchase, repeat=True).approved
    until(lambda: SwitchMessage.objects.filter(type="0201").count() == 5)
    take()
    assert terminal.send_purchase(purchase, repeat=True).approved
    until(lambda: SwitchMessage.objects.filter(type="0201").count() == 6)
    take()
    assert (ExceptionCase.objects.count(), Finding.objects.count()) == (1, 1)
    assert check_exceptions() == []
