"""Sequences of verbs against a model in memory, and many at once on one account (S4, S6, C2)."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from tests.support.payments import HOSPITAL
from tests.systems.transactions.test_concurrency import codes, say_all

from sheka.foundation.refusals import Code
from sheka.systems.accounts.models import Account
from sheka.systems.transactions.models import Window
from sheka.systems.transactions.terminal import Asked, Purchase, Terminal
from sheka.systems.transactions.terminal_messages import Totals

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4"), pytest.mark.req("C2")]


@dataclass
class Row:
    """A request as the model has it. `left`: what may still be taken back of it; `hold`: what is held for it now."""

    request: Purchase
    kind: Asked
    left: int
    hold: int = 0
    original: Row | None = None
    taken_back: bool = False
    completed: bool = False
    followers: list[Row] = field(default_factory=list)


class Model:
    """One account. Every verb says what it answers and changes balance and held."""

    def __init__(self, balance: int) -> None:
        self.balance = balance
        self.held = 0
        self.rows: list[Row] = []
        self.totals: Counter[str] = Counter()

    @property
    def available(self) -> int:
        return self.balance - self.held

    def pay(self, request: Purchase) -> int:
        if request.amount > self.available:
            return Code.BALANCE_INSUFFICIENT.value
        self.balance -= request.amount
        return self._take(Row(request, request.asked, request.amount), "debits", request.amount)

    def hold(self, request: Purchase) -> int:
        if request.amount > self.available:
            return Code.BALANCE_INSUFFICIENT.value
        self.held += request.amount
        self.rows.append(Row(request, request.asked, request.amount, request.amount))
        return 0

    def complete(self, row: Row, request: Purchase) -> int:
        if row.completed:
            return Code.PRE_AUTHORISATION_COMPLETED.value
        if not row.hold:
            return Code.PRE_AUTHORISATION_RELEASED.value
        if request.amount > row.hold:
            return Code.COMPLETION_ABOVE_HELD.value
        self.held -= row.hold
        row.hold, row.completed = 0, True
        self.balance -= request.amount
        return self._take(Row(request, request.asked, request.amount, original=row), "debits", request.amount)

    def refund(self, row: Row, request: Purchase) -> int:
        if not row.left:
            return Code.ORIGINAL_FOLLOWED.value
        if request.amount > row.left:
            return Code.REFUND_ABOVE_ORIGINAL.value
        row.left -= request.amount
        self.balance += request.amount
        return self._take(Row(request, request.asked, request.amount, original=row), "credits", request.amount)

    def take_back(self, row: Row, amount: int, *, void: bool) -> int:
        """A void, or a reversal that comes for the first time; `amount` what goes back."""
        if row.kind is Asked.PRE_AUTHORISATION:
            if row.completed:
                return (Code.PRE_AUTHORISATION_COMPLETED if void else Code.ORIGINAL_FOLLOWED).value
            if not row.hold:
                return (Code.PRE_AUTHORISATION_RELEASED if void else Code.ORIGINAL_FOLLOWED).value
            self.held -= row.hold
            row.hold, row.left = 0, 0
            return 0
        if row.left != row.request.amount:
            return Code.ORIGINAL_FOLLOWED.value
        if row.kind is Asked.REFUND:
            if amount > self.available:
                return Code.BALANCE_INSUFFICIENT.value
            self.balance -= amount
            row.left -= amount
            row.original.left += amount
            return self._count("credits_reversed", amount)
        self.balance += amount
        row.left -= amount
        if row.kind is Asked.COMPLETION:
            row.original.completed = False
            if row.left == 0:  # as a whole: held again
                row.original.hold = amount
                self.held += amount
            else:
                row.original.completed = True
        return self._count("debits_reversed", amount)

    def _take(self, row: Row, name: str, amount: int) -> int:
        self.rows.append(row)
        return self._count(name, amount)

    def _count(self, name: str, amount: int) -> int:
        self.totals[name] += 1
        self.totals[f"{name}_sum"] += amount
        return 0


@pytest.mark.req("S10")
@pytest.mark.parametrize("seed", [1, 2])
def test_any_sequence_of_verbs_does_what_the_model_says(terminal, bank, seed):
    """Random verbs with random amounts; after each the answer, the balance and what is available are those of the
    model, and at the end the batch is in balance and the ledger holds.
    """
    chance = random.Random(seed)
    model, card = Model(100_000), bank.cards[0].number
    for step in range(220):
        verb = chance.choice(
            ("pay", "pay", "hold", "complete", "refund", "void", "reverse", "reverse_in_part", "again")
        )
        amount = chance.choice((1, 700, 2_000, 9_000, 40_000))
        rows = [row for row in model.rows if not row.taken_back]
        held = [row for row in rows if row.kind is Asked.PRE_AUTHORISATION]
        paid = [row for row in rows if row.kind in (Asked.PURCHASE, Asked.COMPLETION)]
        if verb in ("pay", "hold"):
            asked = Asked.PURCHASE if verb == "pay" else Asked.PRE_AUTHORISATION
            request = terminal.new_request(asked, card, amount)
            expected = getattr(model, verb)(request)
            answer = terminal.send_purchase(request)
        elif verb in ("complete", "refund") and (held if verb == "complete" else paid):
            row = chance.choice(held if verb == "complete" else paid)
            asked = Asked.COMPLETION if verb == "complete" else Asked.REFUND
            request = terminal.new_request(asked, card, amount, original=row.request)
            expected = getattr(model, verb)(row, request)
            answer = terminal.send_purchase(request)
        elif verb == "void" and rows:
            row = chance.choice(rows)
            whole = row.hold if row.kind is Asked.PRE_AUTHORISATION and row.hold else row.request.amount
            expected = model.take_back(row, whole, void=True)
            asked = Asked.VOID_OF_PRE_AUTHORISATION if row.kind is Asked.PRE_AUTHORISATION else Asked.VOID
            answer = terminal.send_purchase(terminal.new_request(asked, card, whole, original=row.request))
        elif verb.startswith("reverse") and rows:
            row = chance.choice(rows)
            partly = verb == "reverse_in_part" and row in paid and row.request.amount > 1
            kept = row.request.amount // 2 if partly else 0
            expected = model.take_back(row, row.request.amount - kept, void=False)
            row.taken_back = True  # a second reversal only repeats the first
            answer = terminal.reversal(row.request, kept=kept)
        elif verb == "again" and rows:
            row = chance.choice(rows)
            assert terminal.send_purchase(row.request, repeat=True).refusal == 0
            continue
        else:
            continue
        assert answer.refusal == expected, f"step {step}: {verb} {amount}"
        assert (bank.balance(), bank.accounts[0].held) == (model.balance, model.held), f"step {step}: {verb} {amount}"
        assert terminal.balance(card).balance == model.available
    day = f"{Window.objects.get(closed_at=None).settlement_date:%m%d}"
    assert terminal.settle(day, Totals(**model.totals)).approved
    assert Counter(row.kind for row in model.rows).keys() > {Asked.PURCHASE, Asked.PRE_AUTHORISATION, Asked.REFUND}
    bank.assert_ledger_holds()


@pytest.mark.req("S6")
def test_64_at_once_hold_pay_and_complete_and_never_go_below_what_is_available(switch, bank):
    card = bank.cards[0].number
    made = Terminal("127.0.0.1", 1, "460100000001", HOSPITAL, bank.mac)

    def encoded(requests):
        return [[made.encoded(one.asked.type, made._purchase_fields(one))] for one in requests]

    held = [made.new_request(Asked.PRE_AUTHORISATION, card, 4_000) for _ in range(16)]
    first = asyncio.run(say_all(switch, encoded(held)))
    assert codes(first) == {"00": 16}
    mixed = list(
        itertools.chain.from_iterable(
            (
                made.new_request(Asked.COMPLETION, card, 3_500, original=held[number % 16]),
                made.new_request(Asked.PRE_AUTHORISATION, card, 5_000),
                made.new_request(Asked.PURCHASE, card, 5_000),
                made.new_request(Asked.COMPLETION, card, 3_000, original=held[number % 16]),
            )
            for number in range(16)
        )
    )
    answers = asyncio.run(say_all(switch, encoded(mixed)))
    assert len(answers) == 64
    found = Counter(codes(answers))
    assert found["22"] == 16, "each of 16 is completed once"
    account = Account.objects.get(pk=bank.accounts[0].pk)
    assert 0 <= account.held <= account.balance
    assert set(found) == {"00", "22", "51"}
    bank.assert_ledger_holds()
