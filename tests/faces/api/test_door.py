"""The door of the API: every error a problem, ids and languages as asked, nothing by a cookie, nothing smuggled in."""

from __future__ import annotations

import json

import pytest
from django.test import Client as Browser
from tests.support.api import BASE, partner_of

from sheka.foundation.refusals import Code, Refused

JSON = "application/json"


@pytest.fixture
def city(tree, installer):
    """A client of Haikou with every scope that it may hold."""
    return partner_of(installer, "460100")


def is_problem(answer, code):
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], body["name"], body["status"]) == (code.value, code.name, answer.status_code)
    assert answer.status_code == Refused(code).http
    assert body["type"] == f"/api/v1/refusals/{code.value}"
    assert body["instance"].removeprefix("urn:sheka:request:") == answer.headers["X-Correlation-Id"]
    assert body["title"] and body["detail"] and body["todo"]
    return body


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/regions", "/api/x\ny"])
def test_an_address_that_is_none_is_a_problem(db, path):
    is_problem(Browser().get(path), Code.API_ADDRESS)


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "POST", "BREW"])
def test_a_method_that_is_not_taken_is_a_problem_that_names_the_others(db, method):
    answer = Browser().generic(method, f"{BASE}/regions")
    is_problem(answer, Code.API_METHOD)
    assert answer.headers["Allow"] == "GET"


def test_head_answers_as_get_without_a_body(db):
    whole, head = Browser().get(f"{BASE}/regions/460100"), Browser().head(f"{BASE}/regions/460100")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == whole.headers["ETag"]


def test_without_a_token_or_with_a_wrong_one_nothing_is_told(city):
    city.token = ""
    answer = city.get("/organisations")
    is_problem(answer, Code.API_TOKEN_MISSING)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for token in ("x", "shekat_" + "A" * 43, "\x00", "é"):
        city.token = token
        is_problem(city.get("/organisations"), Code.API_TOKEN_REFUSED)


def test_a_session_of_the_console_opens_nothing_here(appoint):
    actor = appoint("auditor", "460100", "auditor")
    from sheka.office.staff.models import StaffMember

    browser = Browser()
    browser.force_login(StaffMember.objects.get(pk=actor.staff_id))
    is_problem(browser.get(f"{BASE}/organisations"), Code.API_TOKEN_MISSING)


@pytest.mark.parametrize(
    ("asked", "language", "sentence"),
    [
        ("zh-Hans", "zh-Hans", "没有区划代码 999999。"),
        ("fr, en;q=0.5, zh;q=0.1", "en", None),
        ("", "zh-Hans", None),
        ("tlh", "zh-Hans", None),
        ("*;q=x,,;", "zh-Hans", None),
    ],
)
def test_a_refusal_is_told_in_the_language_asked_for(db, asked, language, sentence):
    answer = Browser().get(f"{BASE}/regions/999999", headers={"Accept-Language": asked})
    body = is_problem(answer, Code.REGION_UNKNOWN)
    assert answer.headers["Content-Language"] == language
    assert body["detail"] == Refused(Code.REGION_UNKNOWN, region="999999").text(language)


def test_the_callers_id_comes_back_and_a_forged_one_does_not(db):
    for given, kept in (
        ("order-2026.11_22", True),
        ("a\r\nSet-Cookie: x=1", False),
        ("short", False),
        ("é" * 9, False),
    ):
        answer = Browser().get(f"{BASE}/regions", headers={"X-Correlation-Id": given})
        assert (answer.headers["X-Correlation-Id"] == given) is kept
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", Code.API_JSON),
        (b"\xff\xfe", Code.API_JSON),
        (b'{"card_number": NaN}', Code.API_JSON),
        (b'{"card_number": "a", "card_number": "b"}', Code.API_JSON),
        (b"[" * 40 + b"]" * 40, Code.API_JSON),
        (b"[" * 60_000, Code.API_JSON),
        (b'{"card_number": "\\u0000"}', Code.API_JSON),
        (b'{"card_number": "\\ud800"}', Code.API_JSON),
        (b'{"card_number": "D2143569X", "else": 1}', Code.API_FIELD),
        (b'{"card_number": 7}', Code.API_FIELD),
        (b"[]", Code.API_FIELD),
        (b"null", Code.API_FIELD),
        (b" " * 70_000, Code.API_TOO_LARGE),
    ],
)
def test_a_body_that_is_not_what_is_taken_is_refused_by_number(city, body, code):
    answer = city.post("/cards/state", body, key=None)
    told = is_problem(answer, code)
    assert "D2143569X" not in json.dumps(told), "a refusal never repeats what was sent"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "", "application/json; charset=gbk", "multipart/form-data"]
)
def test_another_type_of_body_is_refused(city, kind):
    is_problem(city.post("/cards/state", b"{}", key=None, Content_Type=kind), Code.API_CONTENT_TYPE)


@pytest.mark.parametrize("query", ["?x=1", "?limit=1&limit=2", "?cursor=%00"])
def test_a_parameter_that_is_none_or_twice_is_refused(city, query):
    is_problem(city.get(f"/organisations{query}"), Code.API_PARAMETER)


def test_a_client_cannot_use_a_form_where_json_is_taken_nor_a_token_of_a_page(db):
    answer = Browser(enforce_csrf_checks=True).post(f"{BASE}/token", {"grant_type": "client_credentials"})
    is_problem(answer, Code.API_CONTENT_TYPE)


def test_a_fault_of_ours_is_a_problem_with_its_number_and_nothing_else(db, monkeypatch, caplog):
    from sheka.faces.api import reference

    def broken(code):
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(reference, "children", broken)
    answer = Browser(raise_request_exception=False).get(f"{BASE}/regions")
    body = is_problem(answer, Code.API_FAULT)
    assert "secret" not in json.dumps(body)
    assert answer.headers["X-Correlation-Id"] in caplog.text


def test_a_database_that_is_away_is_unavailable_and_says_when_to_come_back(db, monkeypatch):
    from django.db import OperationalError

    from sheka.faces.api import reference

    def away(code):
        raise OperationalError("connection refused")

    monkeypatch.setattr(reference, "children", away)
    answer = Browser(raise_request_exception=False).get(f"{BASE}/regions")
    is_problem(answer, Code.API_UNAVAILABLE)
    assert answer.headers["Retry-After"] == "5"


def test_no_answer_lets_another_site_read_it(city):
    answer = city.get("/organisations", Origin="https://elsewhere.example")
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert answer.headers["Cache-Control"] == "private, no-cache"
