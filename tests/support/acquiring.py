"""An institution that is taken in: desks of acquiring, a test card with test money, a partner that rehearses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.support.payments import CITY, HOSPITAL, Bank, SwitchProcess, make_cards

from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.actions.keep_test_cards import fund_test_card, name_test_card
from sheka.systems.transactions.models import Institution
from sheka.systems.transactions.terminal import Terminal

SHOP = "P46010000009"
TEST_NUMBER = "460100900001"
TEST_MONEY = 10_000


def test_card(bank: Bank, city: Any, amount: int = TEST_MONEY) -> Any:
    """A card set apart for tests, with test money."""
    (card,) = make_cards(city, 1, first=900)
    name_test_card(bank.actor, card_number=card.number)
    fund_test_card(bank.actor, card_number=card.number, amount=amount, client_id=uuid4())
    return card


test_card.__test__ = False  # type: ignore[attr-defined]


def line_as(switch: SwitchProcess, number: str, institution: str, *, wrong: bool = False, stan: int = 1) -> Terminal:
    """A line of a terminal of an institution (or of its test side), with the MAC of its key, or a wrong one."""
    key = Institution.objects.get(code=institution).mac_key

    def mac(message: bytes) -> bytes:
        return bytes(4) if wrong else machine_of(CITY).macs(key, None, [message])[0]

    return Terminal(switch.host, switch.port, number, institution, mac, first_stan=stan)


def until(found: Callable[[], Any], seconds: float = 15.0) -> Any:
    """What another process is about to write: its value when it is there."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return value


__all__ = ["CITY", "HOSPITAL", "SHOP", "TEST_MONEY", "TEST_NUMBER", "line_as", "test_card", "until"]
