"""The edge of the switch, read with the eyes of a thief (S4, S10): limits that are got round, evidence that is made to
vanish, a blocked terminal that goes on, a switch that is made to stand still. Every point was found open once.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from django.db import connection
from tests.support.lines import transport
from tests.support.payments import HOSPITAL, ZONE, SwitchProcess
from tests.systems.transactions.test_limits import limited
from tests.systems.transactions.test_pins_elsewhere import ELSEWHERE, other_machine

from sheka.foundation.iso8583.framing import frame
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.actions.blocks import block
from sheka.systems.transactions.actions.register_institution import register_institution, register_terminals
from sheka.systems.transactions.line_models import WorkingKey
from sheka.systems.transactions.models import Terminal as TerminalRow
from sheka.systems.transactions.terminal import Terminal, Totals
from sheka.systems.transactions.terminal_queue import TerminalQueue
from sheka.systems.transactions.verb_models import Batch, BatchLine
from sheka.systems.transactions.watch_models import SwitchMessage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4"), pytest.mark.req("S10")]
FIRST, SECOND = "460100000001", "460100000002"
__all__ = ["limited", "other_machine"]


def connected(switch: SwitchProcess, bank, number: str = FIRST, **named) -> Terminal:
    return Terminal(switch.host, switch.port, number, HOSPITAL, bank.mac, **named)


def until(condition, seconds: float = 10.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
    return found


def today() -> str:
    return f"{datetime.now(ZONE):%m%d}"


def test_a_void_that_is_taken_back_counts_for_the_day_again(limited, bank):
    """Pay, void, take the void back: the money is gone and the day's limit was free again, without end."""
    bank.pay_in(1_000_000, bank.accounts[0])
    card, other = bank.cards[0].number, bank.cards[1].number
    with connected(limited, bank) as terminal:
        for _ in range(2):
            bought = terminal.new_purchase(card, 30_000)
            assert terminal.send_purchase(bought).approved
            voided, _ = terminal.void(bought)
            assert terminal.reversal(voided).approved
        assert terminal.purchase(card, 10_001).refusal == Code.LIMIT_OF_THE_DAY.value
        held, _ = terminal.pre_authorise(other, 40_000)
        voided, _ = terminal.void(held)
        assert terminal.reversal(voided).approved
        assert terminal.pre_authorise(other, 1)[1].refusal == Code.LIMIT_OF_THE_DAY.value
    with connection.cursor() as cursor:
        cursor.execute("SELECT paid, paid_count FROM accounts_account WHERE id = %s", [bank.accounts[0].pk])
        assert cursor.fetchone() == (60_000, 2)
    bank.assert_ledger_holds()


def test_no_date_in_a_message_makes_a_day_of_its_own_in_the_journal(switch, terminal, bank):
    """A day long past would be let go with its partition in the next turn: what was said would leave no trace."""
    terminal.echo()
    for days in (-150, 150):
        at = datetime.now(ZONE) + timedelta(days=days)
        with connected(switch, bank, SECOND, clock=lambda at=at: at) as far:
            assert far.purchase(bank.cards[0].number, 1).refusal == Code.BUSINESS_DATE_OUT_OF_RANGE.value
    switch.stop()
    days = set(SwitchMessage.objects.filter(terminal=SECOND).values_list("day", flat=True))
    assert SwitchMessage.objects.filter(terminal=SECOND).count() == 2
    assert days <= {datetime.now(ZONE).date(), datetime.now(ZONE).date() - timedelta(days=1)}


def test_what_came_behind_a_message_that_ended_its_line_is_not_worked_off(switch, terminal):
    """A quarter of a megabyte of nothing held everybody up for a second."""
    with socket.create_connection((switch.host, switch.port)) as line, suppress(OSError):
        line.sendall(bytes(200_000))
    assert terminal.echo().approved
    said = switch.stop()
    assert int(re.search(r"'30': (\d+)", said)[1]) < 20, said


def test_a_blocked_or_closed_terminal_gets_no_key_and_settles_nothing(switch, bank):
    """With the key of its institution it would lock every other till out."""
    transport(bank.actor)
    with connected(switch, bank) as good, connected(switch, bank, SECOND) as bad:
        bought = bad.new_purchase(bank.cards[0].number, 500)
        assert bad.send_purchase(bought).approved
        sent = (900, datetime.now(ZONE))
        settled = bad.settle(today(), Totals(debits=1, debits_sum=500), sent=sent)
        assert settled.approved
        block(bank.actor, kind="terminal", subject=SECOND, reason="stolen")
        until(lambda: bad.purchase(bank.cards[0].number, 1).refusal == Code.TERMINAL_ON_BLOCK_LIST.value)
        assert refused_key(bad) == Code.TERMINAL_ON_BLOCK_LIST.value
        assert bad.settle(today(), Totals()).refusal == Code.TERMINAL_ON_BLOCK_LIST.value
        assert bad.upload(today(), bought, 999_999).refusal == Code.TERMINAL_ON_BLOCK_LIST.value
        again = bad.settle(today(), Totals(debits=1, debits_sum=500), sent=sent, repeat=True)
        assert (again.response_code, again.totals) == (settled.response_code, settled.totals)
        assert (Batch.objects.count(), BatchLine.objects.count(), WorkingKey.objects.count()) == (1, 0, 0)
        assert bad.reversal(bought).approved  # what it must give back it gives back
        TerminalRow.objects.filter(number="460100000003").update(state="closed")
        with connected(switch, bank, "460100000003") as closed:
            until(lambda: closed.echo().refusal == Code.TERMINAL_NOT_ACTIVE.value)
            assert refused_key(closed) == Code.TERMINAL_NOT_ACTIVE.value
        assert good.purchase(bank.cards[0].number, 1).approved
    bank.assert_ledger_holds()


def refused_key(terminal: Terminal) -> int:
    with pytest.raises(Refused) as refusal:
        terminal.key_exchange("2")
    return int(str(refusal.value.facts["reason"]).rpartition("=")[2])


def test_a_locked_terminal_signs_on_to_give_money_back_and_its_queue_loses_no_reversal(bank, line_policy, tmp_path):
    """Where a line begins with a sign-on, a reversal over a new line was answered 77 and taken as answered."""
    line_policy(('when = "production"', 'when = "always"'))
    switch, queue = SwitchProcess(), TerminalQueue(tmp_path / "queue.db")
    try:
        with connected(switch, bank) as terminal:
            terminal.sign_on()
            bought = terminal.new_purchase(bank.cards[0].number, 700)
            assert terminal.send_purchase(bought).approved
            TerminalRow.objects.filter(number=FIRST).update(state="locked")
            until(lambda: terminal.echo().refusal == Code.TERMINAL_LOCKED.value)
            terminal.close()
            number = queue.put_reversal(bought)
            assert queue.forward(terminal) == []
            assert (queue.find(number).code, queue.waiting()) == ("00", [])
            assert terminal.purchase(bank.cards[0].number, 1).refusal == Code.TERMINAL_LOCKED.value
            assert terminal.settle(today(), Totals()).refusal == Code.TERMINAL_LOCKED.value
    finally:
        switch.stop()
    assert bank.balance() == 100_000
    bank.assert_ledger_holds()


def test_a_machine_that_is_silent_holds_up_its_own_organisation_only(other_machine, bank):
    """One message a second to its organisation, of nobody at all, and everybody waited ten seconds for every answer."""
    actor, code, number = Actor.process("test", ELSEWHERE), "H46000000001", "460000000001"
    made = register_institution(actor, code=code, name="省医院")
    register_terminals(actor, institution_code=code, numbers=[number])
    switch = SwitchProcess(None, "--limit", "machine_patience=1", "--limit", "lanes=1")
    mac = lambda message: machine_of(ELSEWHERE).macs(made.mac_key, None, [message])[0]  # noqa: E731
    with (
        connected(switch, bank) as terminal,
        Terminal(switch.host, switch.port, number, code, mac) as theirs,
        socket.create_connection((switch.host, switch.port)) as stranger,
    ):
        assert theirs.echo().approved
        forged = frame(replaced(theirs))
        os.kill(other_machine.process.pid, signal.SIGSTOP)
        try:
            stranger.sendall(forged)
            assert terminal.purchase(bank.cards[0].number, 1).approved  # this once it was waited for
            began = time.monotonic()
            for _ in range(5):
                with socket.create_connection((switch.host, switch.port)) as line:
                    line.sendall(forged)
                    assert line.recv(1) == b"", "a machine that is away proves nothing"
                assert terminal.purchase(bank.cards[0].number, 1).approved
            assert time.monotonic() - began < 4, "five times the patience"
        finally:
            os.kill(other_machine.process.pid, signal.SIGCONT)
        until(lambda: answers(theirs))
    print(switch.stop())
    bank.assert_ledger_holds()


def replaced(terminal: Terminal) -> bytes:
    """An echo whose MAC is wrong."""
    sent = terminal.echo().sent
    return sent[:-8] + bytes(8)


def answers(terminal: Terminal) -> bool:
    try:
        return terminal.echo().approved
    except Refused:
        return False


def test_yesterdays_answer_is_no_answer_to_todays_purchase(terminal, bank):
    """Who holds the line plays a recorded approval with the same trace number to a till: its MAC is right."""
    bought = terminal.new_purchase(bank.cards[0].number, 100)
    recorded = terminal.send_purchase(bought).received
    with socket.create_server(("127.0.0.1", 0)) as liar, ThreadPoolExecutor(1) as pool:

        def play() -> None:
            line, _ = liar.accept()
            with line:
                line.recv(2048)
                line.sendall(frame(recorded))
                line.recv(1)

        port = liar.getsockname()[1]
        later = lambda: bought.at + timedelta(days=1)  # noqa: E731
        with Terminal("127.0.0.1", port, FIRST, HOSPITAL, bank.mac, first_stan=bought.stan, clock=later) as till:
            till._timeout = 0.5
            played = pool.submit(play)
            with pytest.raises(Refused) as refusal:
                till.purchase(bank.cards[1].number, 100)
            till.close()
        played.result(5)
    assert refusal.value.code is Code.SWITCH_OUTCOME_UNKNOWN
