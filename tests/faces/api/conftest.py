"""Fixtures of the API's tests."""

from tests.support.organisations import appoint, installer, tree

__all__ = ["appoint", "installer", "tree"]
