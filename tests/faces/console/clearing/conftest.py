"""Fixtures of the pages of clearing: a city that pays, and desks of its people."""

from __future__ import annotations

import pytest
from tests.support.desks import person_at, signed_in
from tests.support.organisations import appoint, installer, tree
from tests.support.payments import CITY, bank, haikou_machine, switch, terminal

__all__ = ["appoint", "bank", "haikou_machine", "installer", "switch", "terminal", "tree"]


@pytest.fixture
def desk(bank):
    """desk(role) → the desk of somebody of Haikou, in English when nothing else is said."""

    def find(role, language="en", place=CITY):
        return signed_in(person_at(place, role), language)

    return find
