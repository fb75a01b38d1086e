"""The terminal's store and forward (S4, S10): what must reach the switch survives a crash, one message holds up no
other, and what is never answered is told, not dropped.
"""

from __future__ import annotations

import socket

import pytest
from tests.support.payments import HOSPITAL

from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.terminal import Asked, Terminal
from sheka.systems.transactions.terminal_queue import FIRST_PAUSE, TerminalQueue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4"), pytest.mark.req("S10")]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Deaf(Terminal):
    """A terminal whose line swallows the messages with these trace numbers: they are booked, and no answer comes."""

    swallowed: frozenset[int] = frozenset()

    def exchange(self, message: bytes) -> bytes:
        answer = super().exchange(message)
        if any(f"{stan:06d}".encode() in message for stan in self.swallowed):
            self.close()
            raise Refused(Code.SWITCH_OUTCOME_UNKNOWN)
        return answer


def test_what_was_paid_without_an_answer_is_taken_back_also_after_a_crash(switch, bank, tmp_path):
    card, clock = bank.cards[0].number, Clock()
    queue = TerminalQueue(tmp_path / "queue.db", clock=clock)
    with Deaf(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac) as terminal:
        assert queue.pay(terminal, card, 1_000).balance == 99_000
        terminal.swallowed = frozenset({2})
        assert queue.pay(terminal, card, 2_000) is None
        assert bank.balance() == 97_000
        told = terminal.new_request(Asked.PURCHASE_ADVICE, card, 500)
        queue.put(told)
        assert queue.forward(terminal) == []  # the reversal is not answered either, and holds up nothing
        assert bank.balance() == 98_500
        (left,) = queue.waiting()
        assert (left.way, left.tries, left.due) == ("reversal", 1, clock.now + FIRST_PAUSE)
        assert queue.forward(terminal) == []  # not due yet
        terminal.swallowed = frozenset()
        again = TerminalQueue(tmp_path / "queue.db", clock=clock)
        clock.now += FIRST_PAUSE
        assert again.forward(terminal) == []
        assert again.waiting() == []
        assert [again.find(number).code for number in (1, 2, 3)] == ["00", "00", "00"]
        again._add("request", terminal.new_purchase(card, 700), state="asked")  # power failed after this line
        assert again.recover() == 1
        again.forward(terminal)
        assert again.find(4).refusal == Code.ORIGINAL_UNKNOWN.value
    assert bank.balance() == 98_500
    bank.assert_ledger_holds()


def test_what_is_never_answered_is_reported_and_kept(bank, tmp_path):
    clock = Clock()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        queue = TerminalQueue(tmp_path / "queue.db", keep_for=100, clock=clock)
        with Terminal("127.0.0.1", nobody.getsockname()[1], "460100000001", HOSPITAL, bank.mac, timeout=1) as terminal:
            queue.put_reversal(terminal.new_purchase(bank.cards[0].number, 100), kept=40)
            pre = terminal.new_request(Asked.PRE_AUTHORISATION, bank.cards[0].number, 100)
            queue.put(terminal.new_request(Asked.COMPLETION_ADVICE, bank.cards[0].number, 90, original=pre))
            for _ in range(4):
                assert queue.forward(terminal) == []
                clock.now += 20
            clock.now += 30
            expired = queue.forward(terminal)
    assert [one.way for one in expired] == ["reversal", "request"]
    assert queue.expired() == expired
    assert expired[0].kept == 40
    assert expired[1].request.original == pre
    assert queue.waiting() == []
    with pytest.raises(Refused) as refusal:
        queue.require_none_expired()
    assert refusal.value.code is Code.QUEUED_MESSAGE_EXPIRED
