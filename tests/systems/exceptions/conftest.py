"""Fixtures of the money tests."""

import pytest
from tests.support.organisations import appoint, installer, tree
from tests.support.payments import CITY, bank, haikou_machine, later, switch, terminal

__all__ = ["appoint", "bank", "haikou_machine", "installer", "later", "switch", "terminal", "tree"]


@pytest.fixture
def officer(appoint):
    return appoint("exceptions", CITY, "exceptions_officer")


@pytest.fixture
def approver(appoint):
    return appoint("approver", CITY, "exceptions_approver")


@pytest.fixture
def paid(terminal, bank):
    """A purchase of 12.34 yuan that stands in our books."""
    purchase = terminal.new_purchase(bank.cards[0].number, 1_234)
    assert terminal.send_purchase(purchase).approved
    return purchase
