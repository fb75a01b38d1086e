"""Many at once: one account, one key, one batch, one crash (S4, S6, C2)."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from tests.support.payments import HOSPITAL, SwitchProcess

from sheka.foundation.iso8583 import decode
from sheka.foundation.iso8583.framing import frame
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)


def frames(bank, amounts, *, cards=None, terminal_number="460100000001", first_stan=1):
    """Encoded purchases with right MACs, made without a line."""
    made = Terminal("127.0.0.1", 1, terminal_number, HOSPITAL, bank.mac, first_stan=first_stan)
    numbers = itertools.cycle(cards or [bank.cards[0].number])
    purchases = [made.new_purchase(next(numbers), amount) for amount in amounts]
    return [made.encoded("0200", made._purchase_fields(one)) for one in purchases]


async def say(switch, messages) -> list[bytes]:
    """Send messages in one piece on one line and read as many answers; an error ends the list."""
    received = []
    reader, writer = await asyncio.open_connection(switch.host, switch.port)
    try:
        writer.write(b"".join(map(frame, messages)))
        for _ in messages:
            size = int.from_bytes(await reader.readexactly(2))
            received.append(await reader.readexactly(size))
    except (OSError, EOFError):
        pass
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return received


async def say_all(switch, sets) -> list[bytes]:
    """The same for many lines at once."""
    lines = await asyncio.gather(*(say(switch, messages) for messages in sets))
    return [answer for line in lines for answer in line]


def codes(answers) -> Counter:
    return Counter(decode(answer).fields[39] for answer in answers)


@pytest.mark.req("C2")
@pytest.mark.req("S6")
def test_64_at_once_on_one_account_never_overdraw_it(switch, bank):
    answers = asyncio.run(say_all(switch, [[one] for one in frames(bank, [3_000] * 64)]))
    assert codes(answers) == {"00": 33, "51": 31}
    assert bank.balance() == 1_000
    bank.assert_ledger_holds()


@pytest.mark.req("C2")
def test_items_of_one_account_in_one_batch_are_judged_one_after_the_other(switch, bank):
    amounts = [60_000, 60_000, 30_000, 20_000, 10_000, 1]
    found = {decode(one).fields[11]: decode(one) for one in asyncio.run(say(switch, frames(bank, amounts)))}
    answers = [(found[f"{stan:06d}"].fields[39], found[f"{stan:06d}"].fields.get(54, "")[8:]) for stan in range(1, 7)]
    assert answers == [
        ("00", "000000040000"),
        ("51", ""),
        ("00", "000000010000"),
        ("51", ""),
        ("00", "000000000000"),
        ("51", ""),
    ]
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_one_key_on_many_lines_and_twice_in_a_batch_is_one_purchase(switch, bank):
    one, other = frames(bank, [700, 800], cards=[bank.cards[0].number, bank.cards[1].number])
    answers = asyncio.run(say_all(switch, [[one, other, one, one]] * 20))
    assert len(answers) == 80
    assert len(set(answers)) == 2
    assert (bank.balance(0), bank.balance(1)) == (99_300, 99_200)
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_the_same_key_for_two_cards_at_once_books_one_of_them(switch, bank):
    first, second = (frames(bank, [500], cards=[bank.cards[index].number])[0] for index in (2, 3))
    answers = asyncio.run(say_all(switch, [[first], [second]] * 10))
    assert codes(answers) == {"00": 10, "94": 10}
    assert bank.balance(2) + bank.balance(3) == 199_500
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
@pytest.mark.req("S10")
def test_a_switch_killed_under_load_loses_no_answered_purchase_and_doubles_none(switch, bank):
    cards = [card.number for card in bank.cards]
    sets = [
        frames(bank, [1] * 60, cards=cards, terminal_number=f"460100{1 + line % 3:06d}", first_stan=1 + 1000 * line)
        for line in range(12)
    ]

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, say_all(switch, sets))
        while not running.done() and Transaction.objects.count() < 100:
            time.sleep(0.002)
        switch.kill()
    answered = {(decode(one).fields[41], decode(one).fields[11]): one for one in running.result()}
    booked = {(row.terminal.number, f"{row.stan:06d}") for row in Transaction.objects.select_related("terminal")}
    assert set(answered) <= booked
    assert len(booked) >= 100
    bank.assert_ledger_holds()
    after = SwitchProcess()
    try:
        repeated = asyncio.run(say_all(after, sets))
    finally:
        after.stop()
    assert codes(repeated) == {"00": 720}
    for one in repeated:
        message = decode(one)
        known = answered.get((message.fields[41], message.fields[11]))
        assert known in (None, one)
    assert Transaction.objects.count() == 720
    assert sum(bank.balance(index) for index in range(4)) == 400_000 - 720
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_an_orderly_stop_answers_everything_that_was_taken(switch, bank):
    messages = frames(bank, [1] * 400, cards=[card.number for card in bank.cards])
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, say(switch, messages))
        while not Transaction.objects.exists():
            time.sleep(0.002)
        switch.stop()
    answers = running.result()
    assert Transaction.objects.count() == len(answers) > 0
    assert codes(answers) == {"00": len(answers)}
    bank.assert_ledger_holds()
