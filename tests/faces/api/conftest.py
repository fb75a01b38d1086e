"""Fixtures of the API's tests."""

from tests.support.organisations import appoint, installer, tree
from tests.support.town_here import town_here

__all__ = ["appoint", "installer", "town_here", "tree"]
