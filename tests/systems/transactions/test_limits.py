"""Limits and velocity (S4): counted in the row of the account that a payment changes anyhow, so that two at once cannot
both pass; what goes back is not limited and gives the day's sum back.
"""

from __future__ import annotations

import asyncio
import shutil
from datetime import date
from pathlib import Path

import pytest
from tests.support.payments import HOSPITAL, SwitchProcess
from tests.systems.transactions.test_concurrency import codes, frames, say_all

from sheka.foundation.refusals import Code, Refused
from sheka.systems.cards.models import Card
from sheka.systems.transactions.limits_policy import limits_policy, read_limits
from sheka.systems.transactions.terminal import Terminal

POLICY = Path(__file__).parents[3] / "policy"
ROWS = """
[[limit]]
scheme = "310"
institution = "H"
kind = "purchase"
at_once = 30000
day = 70000
number = 6
minute = 5
valid_from = 2026-01-01
source = "test"

[[limit]]
scheme = "310"
institution = "*"
kind = "pre_authorisation"
day = 40000
valid_from = 2026-01-01
source = "test"

[pre_authorisation]
days = 30

[original]
days = 180
"""


OF_CARDS = """
[[limit]]
scheme = "310"
institution = "H"
kind = "purchase"
specification = "2.00"
day = 1000
valid_from = 2026-01-01
source = "test"

[[limit]]
scheme = "310"
institution = "*"
kind = "purchase"
card_class = "1"
at_once = 50
number = 4
valid_from = 2026-01-01
source = "test"

[[limit]]
scheme = "310"
institution = "*"
kind = "pre_authorisation"
specification = "2.00"
card_class = "1"
at_once = 20
valid_from = 2026-01-01
source = "test"

[[limit]]
scheme = "310"
institution = "H"
kind = "purchase"
card_class = "1"
at_once = 40
day = 160
valid_from = 2026-01-01
source = "test"
"""


@pytest.fixture
def limited(request, bank, tmp_path, monkeypatch):
    """A switch that works by ROWS, and by the rows of the parameter."""
    folder = tmp_path / "policy"
    shutil.copytree(POLICY, folder)
    (folder / "limits.toml").write_text(getattr(request, "param", "") + ROWS)
    monkeypatch.setenv("SHEKA_POLICY", str(folder))
    process = SwitchProcess()
    yield process
    print(process.stop())


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("S4")
def test_a_day_and_a_minute_have_their_limits_and_what_goes_back_counts_no_more(limited, bank):
    bank.pay_in(1_000_000, bank.accounts[0])
    card, other = bank.cards[0].number, bank.cards[1].number
    with Terminal(limited.host, limited.port, "460100000001", HOSPITAL, bank.mac) as terminal:
        declined = terminal.new_purchase(card, 30_001)
        first = terminal.send_purchase(declined)
        assert (first.response_code, first.refusal) == ("61", Code.LIMIT_AT_ONCE.value)
        assert terminal.send_purchase(declined, repeat=True).received == first.received
        bought = terminal.new_purchase(card, 30_000)
        assert terminal.send_purchase(bought).approved
        for _ in range(3):
            assert terminal.send_purchase(bought, repeat=True).approved  # a repeat is not a payment
        assert terminal.purchase(card, 30_000).approved
        assert terminal.purchase(card, 10_001).refusal == Code.LIMIT_OF_THE_DAY.value
        assert terminal.reversal(bought).approved
        assert terminal.purchase(card, 30_000).approved
        for _ in range(2):
            assert terminal.purchase(card, 100).approved
        assert terminal.purchase(card, 100).refusal == Code.LIMIT_OF_A_MINUTE.value
        assert terminal.pre_authorise(card, 100)[1].approved  # another kind: no velocity in the policy, but it counts
        assert terminal.purchase(card, 100).response_code == "65"
        assert terminal.refund(bought, 1)[1].refusal == Code.ORIGINAL_FOLLOWED.value
        told, answer = terminal.advise(card, 60_000)  # done already: booked above every limit
        assert answer.approved
        assert terminal.refund(told, 60_000)[1].approved
        held, answer = terminal.pre_authorise(other, 40_000)
        assert answer.approved
        assert terminal.pre_authorise(other, 1)[1].refusal == Code.LIMIT_OF_THE_DAY.value
        assert terminal.void(held)[1].approved
        held, answer = terminal.pre_authorise(other, 40_000)
        assert answer.approved
        assert terminal.complete(held, 40_000)[1].approved  # what is held is not limited again
    bank.assert_ledger_holds()


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("S4")
@pytest.mark.req("C2")
def test_64_at_once_do_not_pass_a_limit(limited, bank):
    cards = [bank.cards[0].number, bank.cards[1].number]
    answers = asyncio.run(say_all(limited, [[one] for one in frames(bank, [20_000] * 64, cards=cards)]))
    assert codes(answers) == {"00": 6, "61": 58}
    assert (bank.balance(0), bank.balance(1)) == (40_000, 40_000)
    small = frames(bank, [1] * 64, cards=[bank.cards[2].number], first_stan=200)
    assert codes(asyncio.run(say_all(limited, [[one] for one in small]))) == {"00": 5, "65": 59}
    number = Code.LIMIT_OF_NUMBER
    with Terminal(limited.host, limited.port, "460100000001", HOSPITAL, bank.mac, first_stan=900) as terminal:
        for _ in range(3):
            terminal.advise(bank.cards[3].number, 1)
            terminal.pre_authorise(bank.cards[3].number, 1)
        assert terminal.purchase(bank.cards[3].number, 1).refusal == number.value
    bank.assert_ledger_holds()


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("S4")
@pytest.mark.req("C2")
@pytest.mark.parametrize("limited", [OF_CARDS], indirect=True)
def test_a_kind_of_card_has_limits_of_its_own(limited, bank):
    """Cards of the third generation, the second, the third of a child, the second of a child."""
    for card, (generation, holder) in zip(
        bank.cards, [("3.00", "3"), ("2.00", "3"), ("3.00", "1"), ("2.00", "1")], strict=True
    ):
        Card.objects.filter(pk=card.pk).update(specification=generation, card_class=holder)
    adult, old, child, both = (card.number for card in bank.cards)
    with Terminal(limited.host, limited.port, "460100000001", HOSPITAL, bank.mac) as terminal:

        def refused(card: str, amount: int) -> int:
            return terminal.purchase(card, amount).refusal

        assert refused(adult, 30_001) == Code.LIMIT_AT_ONCE.value
        assert refused(adult, 30_000) == 0, "another kind's limits are none of this card's"
        assert refused(old, 1_001) == Code.LIMIT_OF_THE_DAY.value
        assert [refused(old, 500), refused(old, 500), refused(old, 1)] == [0, 0, Code.LIMIT_OF_THE_DAY.value]
        assert refused(child, 41) == Code.LIMIT_AT_ONCE.value
        assert [refused(child, 40) for _ in range(5)] == [0] * 4 + [Code.LIMIT_OF_THE_DAY.value]
        assert refused(both, 41) == 0, "its generation goes before the class of its holder"
        assert terminal.pre_authorise(both, 21)[1].refusal == Code.LIMIT_AT_ONCE.value
        assert terminal.pre_authorise(both, 20)[1].approved
        assert terminal.pre_authorise(old, 21)[1].approved, "limited for a child's card only"
    Card.objects.filter(number=both).update(specification="3.00")
    small = frames(bank, [30] * 64, cards=[both], first_stan=500)
    answers = codes(asyncio.run(say_all(limited, [[one] for one in small])))
    assert answers == {"00": 3, "61": 61}, "64 at once do not pass the limit of a kind of card"
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_a_card_finds_the_narrowest_row_that_is_for_it():
    table = read_limits(OF_CARDS + ROWS).table(date(2026, 11, 22))
    assert table.kinds == ["*/1", "2.00/*", "2.00/1"]

    def figures(letter: str, kind: int, card: str) -> list[int | None]:
        place = table.places["310", letter, kind] + ["", *table.kinds].index(card)
        return table.figures[place * 4 : place * 4 + 4]

    assert figures("H", 1, "") == [30000, 70000, 6, 5]
    assert figures("H", 1, "2.00/*") == figures("H", 1, "2.00/1") == [None, 1000, None, None]
    assert figures("H", 1, "*/1") == [40, 160, None, None]
    assert figures("*", 1, "*/1") == figures("*", 1, "2.00/1") == [50, None, 4, None]
    assert figures("*", 1, "2.00/*") == figures("*", 1, "") == [None] * 4
    assert figures("*", 3, "2.00/1") == [20, None, None, None]
    assert figures("*", 3, "2.00/*") == figures("*", 3, "") == [None, 40000, None, None]
    alone = read_limits(OF_CARDS.split("[[limit]]", 2)[1].join(["[[limit]]", ROWS.replace('"H"', '"*"')]))
    table = alone.table(date(2026, 11, 22))
    place = table.places["310", "H", 1] * 4
    assert table.figures[place : place + 4] == [30000, 70000, 6, 5], (
        "a card of no named kind falls back to any institution"
    )


@pytest.mark.req("S4")
def test_the_policy_is_read_with_its_validity_and_refused_when_it_is_wrong():
    policy = limits_policy()
    figures, places, kinds = policy.table(date(2026, 11, 22))
    assert len(figures) == 4 * len(places) * (1 + len(kinds or ()))
    assert ("310", "P", 1) in places
    later = ROWS.replace("valid_from = 2026-01-01\nsource", "valid_from = 2027-01-01\nvalid_to = 2027-12-31\nsource", 1)
    assert read_limits(later).table(date(2026, 12, 31))[1] == {("310", "*", 3): 0}
    assert len(read_limits(later).table(date(2027, 1, 1))[1]) == 2
    for wrong in (
        ROWS.replace("minute = 5", "minute = 20"),
        ROWS.replace("at_once = 30000", "at_once = -1"),
        ROWS.replace('source = "test"', 'source = ""'),
        ROWS.replace("days = 180", "days = 400"),
        ROWS.replace("minute = 5", 'minute = 5\nspecification = "third"'),
        ROWS.replace("minute = 5", 'minute = 5\ncard_class = "child"'),
        "limit = 3",
    ):
        with pytest.raises(Refused) as refusal:
            read_limits(wrong)
        assert refusal.value.code is Code.LIMITS_POLICY_INVALID
