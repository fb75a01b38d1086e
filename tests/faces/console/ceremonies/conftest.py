"""A key office with its web process and machine, and people who sit at browsers of their own."""

from __future__ import annotations

import pytest
from tests.support.ceremony_browser import Person
from tests.support.ceremony_world import PASSWORD, key_office
from tests.support.world import World


@pytest.fixture(scope="session")
def office(test_cluster):
    """The ministry's key office, for every module that holds ceremonies of its own there."""
    with key_office(World()) as made:
        yield made


@pytest.fixture
def sit(chromium, office):
    """sit(login) → a person, signed in. A complaint of a browser fails the test at its end."""
    people = []

    def take_a_seat(login, language="zh"):
        people.append(Person(chromium, office.address, login, PASSWORD, language))
        return people[-1]

    yield take_a_seat
    problems = [problem for person in people for problem in person.problems]
    for person in people:
        person.context.close()
    assert not problems, problems
