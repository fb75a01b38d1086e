"""Fixtures of the money tests."""

from tests.support.lines import line_policy
from tests.support.organisations import appoint, installer, tree
from tests.support.payments import bank, haikou_machine, later, switch, terminal

__all__ = ["appoint", "bank", "haikou_machine", "installer", "later", "line_policy", "switch", "terminal", "tree"]
