"""Fixtures of the tests of the pages of clients."""

from tests.support.town_here import town_here

__all__ = ["town_here"]
