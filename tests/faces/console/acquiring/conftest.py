"""Fixtures of the tests of the pages of institutions and terminals."""

from tests.support.organisations import appoint, installer, tree
from tests.support.payments import bank, haikou_machine

__all__ = ["appoint", "bank", "haikou_machine", "installer", "tree"]
