"""Every operation of the API against every scope: it opens for its own scope and for no other.

Generated from what the operations declare; a new operation is tested by being there.
"""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from tests.support.addresses import SAMPLES
from tests.support.api import Partner, partner_of
from tests.support.desks import HERE, person_at, signed_in

from sheka.faces.api.openapi import operations_of
from sheka.faces.api.urls import api
from sheka.foundation.refusals import Code
from sheka.office.clients.models import Client, Token
from sheka.office.clients.policy import client_policy
from sheka.office.staff.permissions import Permission

OPERATIONS = [(operation.view_func, path, method) for operation, path, method in operations_of(api)]
SCOPED = [(view, path, method) for view, path, method in OPERATIONS if view.declared.scope is not None]
SCOPES = sorted(frozenset().union(*client_policy().kinds.values()))


@pytest.fixture(scope="module")
def clients(town_here) -> list[Partner]:
    """Clients of Haikou and of a pharmacy there; each test says what a token opens."""
    from sheka.faces.story.cast import HAIKOU, PHARMACY, installer

    made = [partner_of(installer(), place) for place in (HAIKOU, PHARMACY)]
    Client.objects.update(a_minute=10**6)
    return made


@pytest.fixture
def client(clients: list[Partner], scope: str) -> Partner:
    """One whose kind of organisation may hold the scope."""
    city = Permission(scope) in client_policy().kinds["city"]
    return clients[0] if city else clients[1]


def ask(client: Partner, view, path: str, method: str):
    """A request about things that are not there, with a body of the right type that says nothing."""
    path = re.sub(r"{\w+}", SAMPLES[0], path.removeprefix("/api/v1"))
    if method == "get":
        return client.get(path)
    return client.post(path, b"{}", key=str(uuid4()), Content_Type=view.declared.media_types[0])


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_opens_its_own_operations_and_no_other(client, rows, scope):
    Client.objects.filter(code=client.code).update(scopes=[scope])
    Token.objects.filter(client=client.code).update(scopes=[scope])
    before, wrong = rows(), []
    for view, path, method in SCOPED:
        answer = ask(client, view, path, method)
        denied = answer.status_code == 403 and answer.json()["code"] == Code.PERMISSION_MISSING.value
        if denied is (view.declared.scope == Permission(scope)) or answer.status_code >= 500:
            wrong.append((path, method, answer.status_code))
    assert not wrong
    assert {table: n for table, n in rows().items() if n != before[table]} == {}, "nothing that was asked for is there"


def test_what_the_matrix_gives_people_opens_nothing_for_their_browsers(town_here, rows):
    """A session of the console is not looked at: 401 for everybody."""
    for role in ("auditor", "card_supervisor", "security_administrator"):
        desk = signed_in(person_at(HERE["city"], role))
        for _, path, method in SCOPED:
            answer = desk.ask(method.upper(), re.sub(r"{\w+}", SAMPLES[0], path))
            assert answer.status_code == 401, path


def test_what_is_open_to_strangers_is_listed_here():
    """A new operation without a scope must be put here by somebody who means it."""
    assert {path for view, path, _ in OPERATIONS if view.declared.scope is None} == {
        "/api/v1/token",
        "/api/v1/refusals",
        "/api/v1/refusals/{code}",
        "/api/v1/calendar/days",
        "/api/v1/calendar/due-day",
        "/api/v1/regions",
        "/api/v1/regions/{code}",
        "/api/v1/regions/{code}/children",
    }
