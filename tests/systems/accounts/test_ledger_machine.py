"""Any order of ledger operations ends like the rules in memory (S6, C2): the state machine of the ledger."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.support.ledger import NOWHERE, Hold, Model, Purse
from tests.support.payments import CITY, make_cards

from sheka.foundation.refusals import Code
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.expire_pending import expire_due
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.models import Account, EntryKind, Kind, Verb
from sheka.systems.accounts.posting import Item, post
from sheka.systems.accounts.proofs import verify_ledger

pytestmark = [pytest.mark.django_db, pytest.mark.req("S6"), pytest.mark.req("C2")]
PEOPLE = 2
LIMIT = 160
SOON = timedelta(milliseconds=15)
AMOUNTS = st.integers(-1, 120)
KINDS = st.sampled_from([EntryKind.TRANSFER] * 6 + [EntryKind.DEPOSIT, EntryKind.PURCHASE])


@pytest.fixture
def people(tree):
    return [card.person_id for card in make_cards(tree[CITY], PEOPLE)]


def test_any_order_of_operations_ends_like_the_rules_in_memory(people):
    officer = Actor.process("test", CITY)
    fund = open_party_account(officer, kind=Kind.FUND, party="310")
    capped = Account.objects.create(
        number="capped",
        kind=Kind.SUSPENSE,
        organisation_id=CITY,
        balance=0,
        never_negative=True,
        upper_limit=LIMIT,
        opened_at=timezone.now(),
    )
    accounts = [fund, *open_accounts(officer, person_ids=people), capped]

    class Ledger(RuleBasedStateMachine):
        """Account 0 is a fund that may go below zero, 1 and 2 are personal, 3 takes no more than its limit."""

        @initialize()
        def begin(self) -> None:
            self.point = transaction.savepoint()
            self.model = Model({fund.pk: Purse(guarded=False), **{one.pk: Purse() for one in accounts[1:]}})
            self.model.purses[capped.pk].limit = LIMIT
            self.sent: list[Item] = []
            self.now([self.item(0, place, 100, EntryKind.DEPOSIT) for place in (1, 2, 3)])

        def item(self, debit, credit, amount, kind=EntryKind.TRANSFER, **more) -> Item:
            payer = None if debit is None else accounts[debit]
            taker = None if credit is None else accounts[credit]
            return Item(uuid.uuid4(), kind, payer, taker, amount, "x", **more)

        def now(self, batch: list[Item]) -> None:
            """Post it here and there, and compare."""
            if any(hold.expires_at for hold in self.waiting()):
                time.sleep(SOON.total_seconds())  # whoever names it comes too late for certain
            moment = timezone.now()
            got = post(officer, batch)
            if any(one.refusal == Code.TRANSFER_EXPIRY.value for one in got):
                moment = timezone.now()  # the machine was busy, and the time had come when it was judged
            expected = self.model.post(batch, moment)
            assert [(one.refusal, one.differs) for one in got] == expected, batch
            for one in got:
                if one.client_id in self.model.holds:
                    self.model.numbers[one.posting] = one.client_id
            self.sent += batch

        def waiting(self) -> list[Hold]:
            return [hold for hold in self.model.holds.values() if hold.end is None]

        def held(self, pick: int) -> int:
            numbers = sorted(self.model.numbers)
            return numbers[pick % len(numbers)] if numbers and pick % 11 else NOWHERE

        @rule(moves=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), AMOUNTS, KINDS), min_size=1, max_size=12))
        def book(self, moves) -> None:
            self.now([self.item(*move) for move in moves])

        @rule(debit=st.integers(0, 3), credit=st.sampled_from([None, 0, 1, 2, 3]), amount=AMOUNTS, soon=st.booleans())
        def hold(self, debit, credit, amount, soon) -> None:
            until = timezone.now() + SOON if soon else None
            self.now([self.item(debit, credit, amount, pending=True, expires_at=until)])

        @rule(pick=st.integers(0, 50), amount=AMOUNTS, credit=st.sampled_from([None, 1, 2]))
        def post_held(self, pick, amount, credit) -> None:
            self.now([self.item(None, credit, amount, of=self.held(pick), verb=Verb.POST)])

        @rule(pick=st.integers(0, 50), amount=st.sampled_from([0, 0, 0, 7]))
        def void_held(self, pick, amount) -> None:
            self.now([self.item(None, None, amount, of=self.held(pick), verb=Verb.VOID)])

        @rule(
            moves=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), AMOUNTS, KINDS), min_size=2, max_size=5),
            unended=st.integers(0, 9).map(lambda n: n == 0),
            hold=st.booleans(),
        )
        def chain(self, moves, unended, hold) -> None:
            batch = [
                self.item(*move, linked=unended or place < len(moves) - 1, pending=hold and place == 0)
                for place, move in enumerate(moves)
            ]
            self.now([*batch, self.item(0, 1, 1)] if not unended else batch)

        @rule(start=st.integers(0, 200), length=st.integers(1, 6))
        def send_again(self, start, length) -> None:
            """A stretch of what was sent before, cut anywhere: chains come back whole, in part, or tied to others."""
            first = start % len(self.sent)
            self.now(self.sent[first : first + length])

        @rule(
            pick=st.integers(0, 200),
            change=st.sampled_from(["amount", "reference", "kind", "debit", "credit", "linked"]),
        )
        def send_another_content(self, pick, change) -> None:
            item = self.sent[pick % len(self.sent)]
            other = {
                "amount": item.amount + 1,
                "reference": "y",
                "kind": EntryKind.FEE,
                "debit": accounts[pick % 4],
                "credit": accounts[pick % 3],
                "linked": not item.linked,
            }
            values = {name: getattr(item, name) for name in item.__dataclass_fields__}
            self.now([Item(**{**values, change: other[change]})])

        @rule(place=st.integers(0, 3), state=st.sampled_from(["open", "open", "frozen", "closed"]))
        def change_state(self, place, state) -> None:
            Account.objects.filter(pk=accounts[place].pk).update(state=state)
            self.model.purses[accounts[place].pk].state = state

        @rule()
        def expire(self) -> None:
            time.sleep(SOON.total_seconds())
            assert expire_due() == self.model.expire(timezone.now())

        @invariant()
        def the_rows_say_what_the_model_says(self) -> None:
            if not hasattr(self, "model"):
                return
            for one in Account.objects.filter(pk__in=[account.pk for account in accounts[1:]]):
                purse = self.model.purses[one.pk]
                assert (one.balance, one.held) == (purse.balance, purse.held)
                assert one.available >= 0

        def teardown(self) -> None:
            if hasattr(self, "point"):
                try:
                    assert verify_ledger() == []
                finally:
                    transaction.savepoint_rollback(self.point)

    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
