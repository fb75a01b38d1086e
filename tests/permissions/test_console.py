"""Every page of the console for every role at every level: it opens exactly when the matrix says so.

Generated from policy/permissions.yaml and the marks of the views; a new page or role is tested by being there.
"""

from __future__ import annotations

import json

import pytest
from tests.support.addresses import pages
from tests.support.desks import HERE, PAIRS, person_at, signed_in

from sheka.foundation.refusals import Code
from sheka.office.api.problems import MEDIA_TYPE
from sheka.office.staff.permissions import everybody, matrix


@pytest.mark.parametrize(("role", "level"), PAIRS, ids=map("-".join, PAIRS))
def test_a_page_opens_exactly_for_the_roles_that_the_matrix_names(town_here, rows, role, level):
    """Every page at the role's first level; at its other levels a page of each mark, since the mark decides. What is
    denied is asked as a script asks, a tenth of it as a reader does.
    """
    browser, held, found = signed_in(person_at(HERE[level], role)), matrix()[role], pages()
    if (role, level) != first_pair(role):
        found = one_of_each_mark(found)
    before, denied = rows(), [page for page in found if not page.opens(held)]
    asked = [("GET", page, MEDIA_TYPE) for page in denied]
    asked += [("POST", page, MEDIA_TYPE) for page in one_of_each_mark(denied)]
    asked += [("GET", page, "text/html") for page in denied[::10]]
    answers = [(page.name, method, browser.ask(method, page.address, accept=kind)) for method, page, kind in asked]
    wrong = [(name, method, answer.status_code) for name, method, answer in answers if answer.status_code != 403]
    wrong += [(name, method, 0) for name, method, answer in answers if not says_what_is_missing(answer)]
    assert rows() == before, "a request that was denied changed something"
    wrong += [
        (page.name, "GET", status)
        for page in found
        if page.opens(held) and ((status := browser.get(page.address).status_code) == 403 or status >= 500)
    ]
    assert not wrong


@pytest.mark.parametrize("level", sorted(HERE))
def test_who_has_no_role_opens_nothing_but_the_own(town_here, level):
    browser = signed_in(person_at(HERE[level], None))
    for page in pages():
        denied = browser.get(page.address).status_code == 403
        assert denied is not page.opens(everybody()), page.name


def test_a_stranger_is_led_to_the_door_from_every_page(town_here, client):
    for page in pages():
        for method in ("GET", "POST"):
            answer = client.generic(method, page.address)
            assert answer.status_code == 302, (page.name, method)
            assert answer.headers["Location"].startswith("/sign-in"), page.name


@pytest.mark.parametrize(("language", "todo"), [("zh-hans", "请"), ("en", "administrator")])
def test_a_script_is_refused_in_the_form_of_the_interface(town_here, language, todo):
    """What polls a page has no use for its frame: number, sentence and what to do, as problem+json (RFC 9457)."""
    answer = signed_in(person_at(HERE["city"], None), language).ask("GET", "/audit", accept=MEDIA_TYPE)
    told = json.loads(answer.content)
    assert (answer.status_code, told["status"], told["name"]) == (403, 403, "PERMISSION_MISSING")
    assert todo in told["todo"]
    assert answer.headers["Cache-Control"] == "no-store, private"


def test_every_view_says_who_may_open_it():
    assert [page.name for page in pages() if page.opens_for is None] == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_method_that_no_page_takes_is_refused_and_breaks_nothing(town_here, rows, method):
    by_right = {role: signed_in(person_at(HERE[level], role)) for role, level in map(first_pair, matrix())}
    before = rows()
    for page in pages():
        role = next((role for role in by_right if page.opens(matrix()[role])), None)
        answer = by_right[role].ask(method, page.address)
        assert answer.status_code in (400, 403, 404, 405), (page.name, answer.status_code)
    assert rows() == before


def first_pair(role):
    return next(pair for pair in PAIRS if pair[0] == role)


def says_what_is_missing(answer):
    if answer.headers["Content-Type"] == MEDIA_TYPE:
        return json.loads(answer.content)["code"] == Code.PERMISSION_MISSING.value
    return f"no. {Code.PERMISSION_MISSING.value}" in answer.content.decode()


def one_of_each_mark(found):
    return list({page.opens_for: page for page in found}.values())
