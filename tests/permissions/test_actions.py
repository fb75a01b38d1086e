"""Every action for every role: without its permission it is refused before anything is read or done.

Generated: all functions of all `actions` packages (and audited queries) that carry a permission are found by import.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.support.addresses import pages

import sheka.office
import sheka.systems
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.routes import deciding_permissions
from sheka.office.clients.policy import client_policy
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission, matrix

SOURCE = Path(sheka.office.__file__).resolve().parents[1]
WRITES = {"save", "create", "bulk_create", "bulk_update", "update", "delete", "update_or_create", "get_or_create"}


def modules():
    for package in (sheka.office, sheka.systems):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in found.name and ".switch" not in found.name:
                yield importlib.import_module(found.name)


def actions():
    """Name → every function that carries a permission."""
    found = {}
    for module in modules():
        for name, member in vars(module).items():
            if inspect.isfunction(member) and isinstance(getattr(member, "permission", None), Permission):
                found[f"{member.__module__}.{name}"] = member
    return {f"{member.__module__}.{member.__name__}": member for member in found.values()}


ACTIONS = actions()


def arguments(verb):
    """Something for every parameter but the actor: it must not be looked at."""
    parameters = list(inspect.signature(verb).parameters.values())[1:]
    placed = [object() for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD and one.default is one.empty]
    named = {one.name: object() for one in parameters if one.kind is one.KEYWORD_ONLY and one.default is one.empty}
    return placed, named


def outcome(verb, actor):
    """The code of the refusal, or the name of what else came of it."""
    placed, named = arguments(verb)
    try:
        with transaction.atomic():
            verb(actor, *placed, **named)
    except Refused as refusal:
        return refusal.code
    except Exception as error:  # what the body makes of arguments that are nothing: it was reached
        return type(error).__name__
    return "went through"


def touched(queries):
    """Statements that are not of the frame: setting the scope, savepoints, the audit of the refusal."""
    words = ("SAVEPOINT", "RELEASE", "ROLLBACK", "set_config", "audit_", "pg_advisory")
    return [query["sql"] for query in queries if not any(word in query["sql"] for word in words)]


@pytest.mark.parametrize("role", sorted(matrix()))
def test_an_action_is_refused_to_a_role_without_its_permission_before_anything_happens(tree, role):
    actor = actor_with(matrix()[role])
    with CaptureQueriesContext(connection) as queries:
        wrong = [
            (name, came)
            for name, verb in ACTIONS.items()
            if verb.permission not in actor.permissions
            and (came := outcome(verb, actor)) is not Code.PERMISSION_MISSING
        ]
    assert not wrong
    assert touched(queries) == []


@pytest.mark.parametrize("role", sorted(matrix()))
def test_an_action_lets_a_role_with_its_permission_past(tree, role):
    """What then comes of arguments that are nothing is the body's own, never PERMISSION_MISSING."""
    actor = actor_with(matrix()[role])
    held = {name: verb for name, verb in ACTIONS.items() if verb.permission in actor.permissions}
    wrong = [name for name, verb in held.items() if outcome(verb, actor) is Code.PERMISSION_MISSING]
    assert not wrong


@pytest.mark.parametrize("kind", sorted(client_policy().kinds))
def test_an_action_is_refused_to_a_client_whose_kind_may_not(tree, kind):
    actor = actor_with(client_policy().scopes(kind), client="c-generated")
    wrong = [
        name
        for name, verb in ACTIONS.items()
        if (outcome(verb, actor) is Code.PERMISSION_MISSING) is (verb.permission in actor.permissions)
    ]
    assert not wrong


def test_every_permission_of_the_list_opens_an_action_a_page_or_an_operation():
    """A permission that opens nothing would be granted for nothing."""
    asked = {verb.permission for verb in ACTIONS.values()}
    asked |= deciding_permissions()
    asked |= {permission for page in pages() for permission in page.opens_for or ()}
    text = "".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py") if path.name != "permissions.py")
    unused = [p for p in Permission if p not in asked and f"Permission.{p.name}" not in text]
    assert not unused


def test_what_writes_in_an_actions_package_is_an_action_or_called_by_one():
    """A public function of an `actions` package that writes to a table carries a permission, or takes an actor and is
    called from its own package's frame only: its docstring says so."""
    wrong = []
    for path in sorted(SOURCE.glob("*/*/actions/*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            name = f"sheka.{'.'.join(path.relative_to(SOURCE).with_suffix('').parts)}.{node.name}"
            if name in ACTIONS or not writes(node) or records(node) or "caller" in (ast.get_docstring(node) or ""):
                continue
            wrong.append(name)
    assert not [name for name in wrong if not called_by_an_action(name)]


def writes(node):
    return any(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in WRITES
        for one in ast.walk(node)
    )


def records(node):
    """Whether it writes the audit row itself: it is a verb that another action calls in its transaction."""
    return any(
        isinstance(one, ast.Call) and getattr(one.func, "id", "") in ("record", "tell") for one in ast.walk(node)
    )


def called_by_an_action(name):
    """Whether only modules of `actions` packages and jobs or messages of the same app call it."""
    function = name.rpartition(".")[2]
    called = (f"import {function}", f"{function}(")
    callers = [path for path in SOURCE.rglob("*.py") if any(text in path.read_text("utf-8") for text in called)]
    return all({"actions", "jobs.py", "messages.py", "seats.py"} & set(path.parts) for path in callers)


def actor_with(permissions, **more):
    return Actor(None, "generated", "460100", "o000000.o460000.o460100", frozenset(permissions), **more)
