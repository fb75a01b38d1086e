"""The pages of API clients: a secret is shown once, works, is followed by another, and ends with its client."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from tests.support.api import Partner
from tests.support.desks import person_at, signed_in

from sheka.office.clients.models import Client


@pytest.fixture
def guard(town_here, db):
    """The security administrator of Haikou at a desk."""
    return signed_in(person_at("460100", "security_administrator"))


def form(**more):
    days = timezone.localdate() + timedelta(days=90)
    return {
        "organisation": "P46010000001",
        "name": "椰风药房新收银",
        "scopes": "card.state",
        "valid_to": days.isoformat(),
        "a_minute": "60",
        **more,
    }


def shown_secret(answer):
    assert answer.status_code == 200, answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    return re.search(r'id="secret">(shekas_[\w-]+)<', answer.content.decode())[1]


def test_a_secret_is_shown_once_and_opens_the_api(guard):
    first = shown_secret(guard.ask("POST", "/clients/make", form()))
    made = Client.objects.get(name="椰风药房新收银")
    partner = Partner(made.code, first)
    assert partner.sign_in().status_code == 200
    assert (made.organisation_id, made.scopes, made.a_minute) == ("P46010000001", ["card.state"], 60)
    for address in ("/clients", f"/clients/{made.code}"):
        page = guard.get(address).content.decode()
        assert "椰风药房新收银" in page and first not in page
    second = shown_secret(guard.ask("POST", f"/clients/{made.code}/rotate"))
    assert partner.sign_in().status_code == Partner(made.code, second).sign_in().status_code == 200
    shown_secret(guard.ask("POST", f"/clients/{made.code}/rotate", {"at_once": "on"}))
    assert partner.sign_in().status_code == Partner(made.code, second).sign_in().status_code == 401
    assert guard.ask("POST", f"/clients/{made.code}/end").status_code == 422
    assert guard.ask("POST", f"/clients/{made.code}/end", {"text": "合作结束"}).status_code == 302
    assert "button--danger" not in guard.get(f"/clients/{made.code}").content.decode()
    assert guard.ask("POST", f"/clients/{made.code}/rotate").status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"scopes": "key.view"},
        {"scopes": "nothing"},
        {"scopes": ""},
        {"valid_to": "2020-01-01"},
        {"valid_to": "soon"},
        {"a_minute": "0"},
        {"a_minute": "999999"},
        {"organisation": "460200"},
    ],
)
def test_what_cannot_be_is_told_beside_the_form(guard, wrong):
    before = Client.objects.count()
    answer = guard.ask("POST", "/clients/make", form(**wrong))
    assert answer.status_code == 422
    assert re.search(r"govuk-error|notice--stop", answer.content.decode())
    assert Client.objects.count() == before


def test_the_pages_are_there_in_both_languages(town_here, db):
    for language, word in (("zh-hans", "新增接口客户"), ("en", "Make a client")):
        desk = signed_in(person_at("460100", "security_administrator"), language)
        assert word in desk.get("/clients").content.decode()
        assert word in desk.get("/clients/make").content.decode()
