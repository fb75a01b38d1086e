"""A reader far away asks whether the card in it is genuine (C1): each test is named, and the question is audited."""

from __future__ import annotations

import pytest
from django.utils import timezone
from tests.support.api import partner_of

from sheka.office.audit.models import Event
from sheka.systems.cards.models import Card

FACTS = {
    "historical_bytes": "00814A46868660460100000135",
    "algorithm": "SM4",
    "key_version": 1,
    "process_factor": "8660460100000135",
    "challenge": "0011223344556677",
    "response": "0000000000000000",
}


@pytest.fixture
def city(town_here, db):
    from sheka.faces.story.cast import HAIKOU, installer

    return partner_of(installer(), HAIKOU)


def asked_about(card, **other):
    code = card.identification_code
    historical = f"00814A46868660{code[:4]}{code[16:24]}"
    return {**FACTS, "identification_code": code, "historical_bytes": historical, **other}


@pytest.mark.req("C1")
def test_the_verdict_names_every_test_and_is_audited(city):
    card = Card.objects.filter(state="active", identification_code__isnull=False).order_by("pk").first()
    before = Event.objects.filter(event="card.checked").count()
    answer = city.post("/cards/check", asked_about(card), key=None)
    told = answer.json()
    assert answer.status_code == 200, told
    assert [test["test"] for test in told["tests"]] == [
        "ATR_FORM",
        "SERIAL",
        "REGION",
        "AUTHENTICATION_CODE",
        "INTERNAL_AUTHENTICATION",
        "KEY_VERSION",
        "RECORDS",
    ]
    assert {test["test"]: test["outcome"] for test in told["tests"]}["SERIAL"] == "passed"
    assert told["passed"] is False
    row = Event.objects.filter(event="card.checked").order_by("sequence").last()
    assert (Event.objects.filter(event="card.checked").count(), row.subject) == (before + 1, card.subject)
    assert card.person.name not in answer.content.decode()


@pytest.mark.req("C1")
def test_another_atr_and_a_blocked_card_are_named(city):
    card = Card.objects.filter(state="active", identification_code__isnull=False).order_by("pk").first()
    other = asked_about(card)["historical_bytes"][:-2] + "99"
    told = city.post("/cards/check", asked_about(card, historical_bytes=other), key=None).json()
    assert told["failed"] == "SERIAL"
    assert city.post("/cards/check", asked_about(card, historical_bytes="00"), key=None).json()["failed"] == "ATR_FORM"
    blocked = Card.objects.filter(state="blocked", identification_code__isnull=False).first()
    if blocked is None:
        Card.objects.filter(pk=card.pk).update(state="blocked")
        blocked = card
    told = city.post("/cards/check", asked_about(blocked), key=None, Accept_Language="zh-Hans").json()
    assert {test["test"]: test["outcome"] for test in told["tests"]}["RECORDS"] == "failed"
    assert "状态" in told["tests"][-1]["remark"]


def test_what_is_no_fact_of_a_card_is_refused(city):
    card = Card.objects.filter(identification_code__isnull=False).first()
    wrong = (
        {"challenge": "00"},
        {"response": "zz"},
        {"algorithm": "AES"},
        {"key_version": 4},
        {"identification_code": "0" * 32},
        {"holder": "x"},
    )
    for other in wrong:
        assert city.post("/cards/check", asked_about(card, **other), key=None).status_code == 422, other
    assert timezone.now()
