"""Whatever can follow an original, all of it at once, over two switches, while holds lapse under it (S4, S10, C2)."""

from __future__ import annotations

import asyncio
import random
import threading

import psycopg
import pytest
from django.db import connection
from tests.support.payments import HOSPITAL, SwitchProcess
from tests.systems.transactions.test_concurrency import codes, say

from sheka.systems.accounts.actions.expire_pending import expire_due
from sheka.systems.accounts.models import Account
from sheka.systems.transactions.queries import verify_seals, verify_transactions
from sheka.systems.transactions.terminal import Asked, Terminal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4"), pytest.mark.req("S10")]
AGE = """
UPDATE accounts_pending_open SET expires_at = now() WHERE pending_id IN (
    SELECT pending_id FROM accounts_pending_open ORDER BY random() LIMIT 3 FOR UPDATE SKIP LOCKED)
"""
OF_HELD = ((Asked.COMPLETION, 700), (Asked.COMPLETION_ADVICE, 600), (Asked.VOID_OF_PRE_AUTHORISATION, 1_000))
OF_PAID = ((Asked.REFUND, 600), (Asked.REFUND, 600), (Asked.REFUND, 400), (Asked.VOID, 1_000))


class Hold:
    """The clock of held money in a thread of its own: a few holds lapse and expire all the time."""

    def __init__(self, superuser) -> None:
        self._superuser, self._stop = superuser, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with self._superuser() as administrator:
            administrator.execute("SET lock_timeout = '200ms'")
            while not self._stop.wait(0.01):
                try:
                    administrator.execute(AGE)
                except psycopg.errors.LockNotAvailable:
                    continue
                expire_due()
        connection.close()


def test_whatever_follows_at_once_nothing_is_taken_or_given_twice(switch, bank, superuser):
    other, chance = SwitchProcess(), random.Random(40)
    made = Terminal("127.0.0.1", 1, "460100000001", HOSPITAL, bank.mac)

    def asked(one):
        return made.encoded(one.asked.type, made._purchase_fields(one))

    def reversal(one):
        fields = made._purchase_fields(one)
        fields.pop(48, None)
        return made.encoded("0400", {**fields, 90: one.named()})

    def follow(verbs, one):
        return [made.new_request(verb, one.card_number, amount, original=one) for verb, amount in verbs]

    async def at_once(messages):
        chance.shuffle(messages)
        lines = await asyncio.gather(*(say(chance.choice((switch, other)), [one]) for one in messages))
        return [answer for line in lines for answer in line]

    try:
        with Hold(superuser):
            for _ in range(6):
                cards = [card.number for card in bank.cards]
                held = [made.new_request(Asked.PRE_AUTHORISATION, card, 1_000) for card in cards]
                paid = [made.new_request(Asked.PURCHASE, card, 1_000) for card in cards]
                asyncio.run(at_once([asked(one) for one in held + paid]))
                first = [each for one in held for each in follow(OF_HELD, one)]
                first += [each for one in paid for each in follow(OF_PAID, one)]
                undone = [each for one in first for each in follow([(Asked.VOID, one.amount)], one)]
                waves = (
                    [asked(one) for one in first + held + paid] + [reversal(one) for one in held + paid],
                    [asked(one) for one in undone] + [reversal(one) for one in first[::2]],
                    [reversal(one) for one in undone] + [asked(each) for one in paid for each in follow(OF_PAID, one)],
                )
                for wave in waves:
                    answers = asyncio.run(at_once(wave))
                    assert len(answers) == len(wave)
                    assert codes(answers).keys() <= {"00", "12", "22", "51", "64"}
    finally:
        other.stop()
    assert verify_transactions() == []  # of nothing is more taken than it was
    assert verify_seals() == []
    accounts = Account.objects.filter(kind="personal")
    assert all(0 <= one.held <= one.balance <= 100_000 for one in accounts), "nobody has more than was paid in"
