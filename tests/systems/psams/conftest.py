"""Fixtures of the tests of PSAMs."""

from tests.support.organisations import appoint, installer, tree
from tests.support.payments import bank, haikou_machine, switch
from tests.support.psams import city_keys, drawer, in_use, maker, officers, psams

__all__ = [
    "appoint",
    "bank",
    "city_keys",
    "drawer",
    "haikou_machine",
    "in_use",
    "installer",
    "maker",
    "officers",
    "psams",
    "switch",
    "tree",
]
