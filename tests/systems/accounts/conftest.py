"""Fixtures of the money tests."""

from tests.support.organisations import appoint, installer, tree
from tests.support.payments import bank, haikou_machine, later, switch, terminal

__all__ = ["appoint", "bank", "haikou_machine", "installer", "later", "switch", "terminal", "tree"]
