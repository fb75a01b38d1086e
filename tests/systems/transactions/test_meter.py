"""The meter of the switch and its live board: every answer is counted once, and what is alarming is said."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from tests.support.payments import HOSPITAL

from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.transactions import queries_of_pulse
from sheka.systems.transactions.actions.roll_pulses import roll_pulses
from sheka.systems.transactions.pulse import bucket_of, microseconds_of, quantile
from sheka.systems.transactions.queries_of_pulse import board_of
from sheka.systems.transactions.terminal import Terminal
from sheka.systems.transactions.watch_models import ProcessPulse, Pulse


@settings_of_hypothesis(deadline=None)
@given(st.integers(8, 10**10))
def test_a_bucket_says_a_latency_to_an_eighth(microseconds):
    assert abs(microseconds_of(bucket_of(microseconds)) - microseconds) <= microseconds / 8


@settings_of_hypothesis(deadline=None)
@given(st.lists(st.integers(8, 10**8), min_size=1), st.sampled_from((0.5, 0.9, 0.99)))
def test_a_quantile_lies_where_the_latencies_lie(latencies, share):
    told = quantile(Counter(map(bucket_of, latencies)), share)
    exact = sorted(latencies)[max(0, -int(-share * len(latencies) // 1) - 1)]
    assert bucket_of(int(told)) == bucket_of(exact)


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("S4")
def test_every_answer_is_counted_once_with_its_code_and_the_board_shows_it(bank, switch):
    card = bank.cards[0].number
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac) as terminal:
        for _ in range(5):
            terminal.purchase(card, 100)
        terminal.purchase(card, 10_000_000)
        terminal.balance(card)
        time.sleep(1.1)  # a whole second with the line open
    with Terminal(switch.host, switch.port, "999999999999", HOSPITAL, bank.mac) as stranger, pytest.raises(Refused):
        stranger.purchase(card, 100)
    switch.stop()

    board = board_of(bank.actor)
    assert board.whole.answers[1, 0] == 5
    assert board.whole.answers[3, 0] == 1
    assert board.whole.answers[1, Code.BALANCE_INSUFFICIENT.value] == 1
    assert (board.whole.number, board.whole.approved) == (7, 6)
    assert sum(board.whole.latency.values()) == 7
    assert 0 < board.whole.p50 <= board.whole.p99 < 10_000
    assert (board.codes[0].code, board.codes[0].number) == ("00", 6)
    assert [one.name.split(".")[0] for one in board.processes] == [str(switch.port)]
    assert board.whole.open_lines >= 1
    assert (board.whole.requests, board.whole.kept) == (7, 8)  # a stranger's message runs in no batch
    assert board.whole.batches
    assert board.whole.machine > 0 < board.whole.base
    node = Actor.process("node", settings.NODE.organisations[0])
    assert board_of(node).whole.answers[0, Code.TERMINAL_UNKNOWN.value] == 1
    assert board_of(node).whole.number == 8

    later = timezone.now() + timedelta(minutes=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sheka.systems.transactions.actions.roll_pulses.timezone.now", lambda: later)
        rolled = roll_pulses(node)
        assert rolled.summed >= 1
        assert roll_pulses(node).summed == 0
    minutes = Pulse.objects.filter(span=60, organisation="460100")
    assert sum((Counter(row.answers) for row in minutes), Counter()) == {"1:0": 5, "3:0": 1, "1:4421": 1}
    assert board_of(bank.actor, "24h", later).whole.number == 7
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sheka.systems.transactions.actions.roll_pulses.timezone.now", lambda: later + timedelta(hours=49)
        )
        assert roll_pulses(node).gone
    assert not Pulse.objects.filter(span=1).exists()
    assert not ProcessPulse.objects.filter(span=1).exists()
    assert Pulse.objects.filter(span=60).exists()


@pytest.fixture
def write(tree):
    """write(answers, latency, **facts) → a second of the switch as its function writes it, `ago` seconds ago."""
    node = settings.NODE

    def put(answers: dict[str, int] | None = None, latency: dict[str, int] | None = None, ago: int = 2, **facts: int):
        names = ["lines", "queue", "batches", "requests", "largest", "machine", "base", "cpu", "kept", "dropped"]
        values = [facts.get(name, 0) for name in names]
        with psycopg.connect(node.dsn("switch"), autocommit=True) as connection:
            connection.execute(
                "SELECT switch_pulse(now() - make_interval(secs => %s), '8583.1', %s, %s, %s, %s::bigint[])",
                [
                    ago,
                    ["460100"] if answers else [],
                    [json.dumps(answers)] if answers else [],
                    [json.dumps(latency or {})] if answers else [],
                    values,
                ],
            )

    return put


CITY = "460100"


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("S4")
def test_what_is_over_policy_is_an_alarm_and_what_is_not_is_none(write):
    actor = Actor.process("test", CITY)

    def alarms() -> set[str]:
        return {one.kind for one in board_of(actor).alarms}

    assert alarms() == set()
    write({"1:0": 90, "1:4421": 10}, {"40": 100}, ago=20, lines=3, batches=10, machine=10_000, base=20_000)
    write(ago=1, lines=3)
    assert alarms() == set()
    write({"1:4421": 60}, {"110": 60}, ago=3, batches=10, machine=90_000_000, base=90_000_000, dropped=2, lines=3)
    assert alarms() == {"refusals", "latency", "machine", "database", "journal"}
    assert all(one.text.zh and one.text.en for one in board_of(actor).alarms)


@pytest.mark.django_db(transaction=True)
def test_lines_without_traffic_and_a_silent_process_are_alarms(write):
    actor = Actor.process("test", CITY)
    write(ago=5, lines=4)
    assert {one.kind for one in board_of(actor).alarms} == {"silence"}
    assert {one.kind for one in board_of(actor, now=timezone.now() + timedelta(minutes=2)).alarms} == {"process"}
    assert board_of(Actor.process("test", "460200")).whole.number == 0
    assert queries_of_pulse.dropped_lately() == 0


@pytest.mark.django_db
def test_who_may_not_watch_sees_no_board(tree):
    with pytest.raises(Refused) as refused:
        board_of(Actor(None, "nobody", CITY, tree[CITY].path, frozenset()))
    assert refused.value.code is Code.PERMISSION_MISSING
