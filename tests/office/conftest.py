"""Fixtures of the office tests."""

from tests.support.organisations import appoint, installer, tree

__all__ = ["appoint", "installer", "tree"]
