"""A false card is named by the test that it failed: here, over the API, on the command line (C1)."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.utils import timezone
from tests.support.api import partner_of
from typer.testing import CliRunner

from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.session import CardSession
from sheka.equipment.card_reader.verdict import facts_of
from sheka.faces.cli.main import application
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.holder import HolderData
from sheka.foundation.chip.personalisation import personalisation_steps
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.chip.sample import SampleKeys, blank_chip, sample_holder
from sheka.foundation.chip.steps import carry_out
from sheka.foundation.chip.storage import MemoryStorage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.audit.models import Event
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.actions.hand_out_card import hand_out_card
from sheka.systems.cards.actions.judge_card import judge_card
from sheka.systems.cards.actions.personalise_card import produce_card
from sheka.systems.cards.actions.receive_stock import receive_stock
from sheka.systems.cards.models import Card
from sheka.systems.keys.models import Key
from sheka.systems.transactions.models import Block

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(make, staff, chips):
    """A card on a real chip, with its holder and in use."""
    made = produce_card(staff["producer"], card=make.numbered(), drawer=chips)
    receive_stock(staff["clerk"], cards=[made])
    hand_out_card(staff["clerk"], card=made, identity=make.identity(made))
    Card.objects.filter(pk=made.pk).update(state="active")
    made.refresh_from_db()
    return made


@pytest.fixture
def asker(places):
    """A program of the city that may ask what is with a card."""
    return Actor.process("partner", "460100")


def verdict_of(asker, reader):
    with CardSession(reader) as session:
        return judge_card(asker, facts=facts_of(session), reader="test")


def outcomes(verdict):
    return {result.test.name: result.outcome.value for result in verdict.results}


@pytest.mark.req("C1")
def test_a_genuine_card_in_use_passes_every_test_in_order(card, asker, chips):
    verdict = verdict_of(asker, chips.reader(card.number))
    assert list(outcomes(verdict)) == [
        "ATR_FORM",
        "SERIAL",
        "REGION",
        "AUTHENTICATION_CODE",
        "INTERNAL_AUTHENTICATION",
        "KEY_VERSION",
        "RECORDS",
    ]
    assert set(outcomes(verdict).values()) == {"passed"}
    assert verdict.passed and verdict.failed is None
    row = Event.objects.get(event="card.checked")
    assert (row.subject, '"genuine":true' in row.facts) == (card.subject, True)


@pytest.mark.req("C1")
def test_a_copy_without_the_key_fails_the_internal_authentication_only(card, asker, chips):
    verdict = verdict_of(asker, InProcessReader(copy_of(chips, card)))
    assert verdict.failed.test.name == "INTERNAL_AUTHENTICATION"
    assert outcomes(verdict)["AUTHENTICATION_CODE"] == "passed", "everything readable was copied"
    assert '"failed":"INTERNAL_AUTHENTICATION"' in Event.objects.get(event="card.checked").facts


@pytest.mark.req("C1")
def test_a_cloned_number_on_another_chip_fails_the_atr(card, asker, chips):
    class OtherAtr(InProcessReader):
        def connect(self):
            atr = super().connect()
            return atr[:-1] + bytes([atr[-1] ^ 1])

    verdict = verdict_of(asker, OtherAtr(chips.card(card.number)))
    assert verdict.failed.test.name == "SERIAL"
    assert outcomes(verdict)["INTERNAL_AUTHENTICATION"] == "failed"


@pytest.mark.req("C1")
def test_a_made_up_identification_code_fails_the_authentication_code(card, asker, chips):
    other = card.identification_code[:24] + "00000000"
    with CardSession(chips.reader(card.number)) as session:
        facts = facts_of(session)
    verdict = judge_card(asker, facts=replace_code(facts, other))
    assert verdict.failed.test.name == "AUTHENTICATION_CODE"
    assert "没有发行过" in next(each for each in verdict.results if each.test.name == "RECORDS").remark.zh


@pytest.mark.req("C1")
@pytest.mark.parametrize(("state", "word"), [("retired", "停用"), ("suspended", "暂停"), ("generated", "尚未启用")])
def test_a_key_version_that_is_not_in_use_is_named(card, asker, chips, state, word):
    Key.objects.filter(name="IRK").update(state=state)
    verdict = verdict_of(asker, chips.reader(card.number))
    assert verdict.failed.test.name == "KEY_VERSION"
    assert word in verdict.sentence.zh
    assert outcomes(verdict)["INTERNAL_AUTHENTICATION"] == "passed"


@pytest.mark.req("C1")
def test_what_the_machine_no_longer_has_is_told_as_not_made(card, asker, chips):
    Key.objects.filter(name="IRK").update(state="destroyed")
    verdict = verdict_of(asker, chips.reader(card.number))
    assert verdict.failed.test.name == "KEY_VERSION"
    assert outcomes(verdict)["AUTHENTICATION_CODE"] == outcomes(verdict)["INTERNAL_AUTHENTICATION"] == "not_made"
    Key.objects.filter(name="IRK").update(state="active", version=2)
    verdict = verdict_of(asker, chips.reader(card.number))
    assert verdict.failed.test.name == "KEY_VERSION"
    assert "没有此版本" in verdict.sentence.zh
    assert outcomes(verdict)["INTERNAL_AUTHENTICATION"] == "not_made"
    assert outcomes(verdict)["AUTHENTICATION_CODE"] == "passed", "a card keeps the code of the version it was made with"


@pytest.mark.req("C1")
def test_a_blocked_and_a_lost_card_are_named_by_their_state(card, asker, chips):
    for state, zh, en in (("blocked", "锁定", "Blocked"), ("lost", "挂失", "lost")):
        Card.objects.filter(pk=card.pk).update(state=state)
        verdict = verdict_of(asker, chips.reader(card.number))
        assert verdict.failed.test.name == "RECORDS"
        assert "状态" in verdict.sentence.zh and "state" in verdict.sentence.en
        assert zh in verdict.sentence.zh or en in verdict.sentence.en


@pytest.mark.req("C1")
@pytest.mark.parametrize("kind", ["card", "card_range", "key_version"])
def test_a_card_on_the_block_list_is_named(card, asker, chips, kind):
    body = card.number[:8]
    subject = {"card": card.number, "card_range": f"{body}0-{body}Z", "key_version": "IRK/1"}[kind]
    Block.objects.create(
        organisation_id="460100", kind=kind, subject=subject, since=timezone.now(), by="test", reason="疑似泄露"
    )
    verdict = verdict_of(asker, chips.reader(card.number))
    assert verdict.failed.test.name == "RECORDS"
    assert "黑名单" in verdict.sentence.zh


@pytest.mark.req("C1")
def test_a_card_from_a_place_that_nobody_knows_is_no_issued_card(card, asker, chips):
    with CardSession(chips.reader(card.number)) as session:
        facts = facts_of(session)
    verdict = judge_card(asker, facts=replace_code(facts, "990000" + card.identification_code[6:]))
    assert outcomes(verdict)["REGION"] == "failed"
    assert outcomes(verdict)["INTERNAL_AUTHENTICATION"] == "not_made"
    assert outcomes(verdict)["RECORDS"] == "failed"


def test_who_may_not_ask_about_cards_gets_no_verdict(card, chips, refused):
    from sheka.foundation.refusals import Code

    stranger = Actor(None, "nobody", "460100", "o000000", frozenset({Permission.CARD_VIEW}))
    with CardSession(chips.reader(card.number)) as session:
        facts = facts_of(session)
    refused(Code.PERMISSION_MISSING, lambda: judge_card(stranger, facts=facts))


@pytest.mark.req("C1")
def test_the_command_names_the_failed_test_and_ends_with_a_status(card, chips):
    def check(*words):
        line = ["card", "check", "--card", card.number, "--config", str(settings.NODE.path), *words]
        return CliRunner().invoke(application(), [*line, "--world", str(chips.folder.parent)], catch_exceptions=False)

    chips.folder.rename(chips.folder.parent / "chips")
    good = check()
    assert (good.exit_code, "✓ INTERNAL_AUTHENTICATION" in good.output) == (0, True)
    Card.objects.filter(pk=card.pk).update(state="blocked")
    bad = check("--json")
    told = json.loads(bad.output)
    assert (bad.exit_code, told["failed"], told["passed"]) == (1, "RECORDS", False)
    assert [test["outcome"] for test in told["tests"]] == ["passed"] * 6 + ["failed"]


def replace_code(facts, text):
    from dataclasses import replace

    from sheka.foundation.numbers import CardIdentificationCode

    return replace(facts, code=CardIdentificationCode.parse(text))


def copy_of(chips, card):
    """A forger's chip: every readable byte of the card, other keys."""
    profile, keys = load_profile(), SampleKeys(Algorithm.SM4)
    with CardSession(chips.reader(card.number)) as session:
        session.select_sse()
        issuer = session.read_file("SSSE/EF05")
        historical = session.historical
    copy: VirtualCard = blank_chip(MemoryStorage(), profile, Algorithm.SM4)
    copy.power_on()
    sample = sample_holder(profile, keys, version="3.00")
    holder = HolderData(historical, {**sample.files, "SSSE/EF05": issuer})
    carry_out(personalisation_steps(profile, holder, keys, algorithm=Algorithm.SM4), copy.transmit)
    copy.power_off()
    return copy


@pytest.fixture
def city(places, installer):
    """A client of the city that calls the API."""
    return partner_of(installer, "460100")


def read_by(chips, card, **other):
    """What a reader far away sends of a card."""
    with CardSession(chips.reader(card.number)) as session:
        facts = facts_of(session)
        return {
            "identification_code": facts.code.text,
            "historical_bytes": session.historical.hex(),
            "algorithm": facts.algorithm.name,
            "key_version": facts.key_version,
            "process_factor": facts.process_factor.hex(),
            "challenge": facts.source.hex(),
            "response": facts.answer.hex(),
        } | other


@pytest.mark.req("C1")
def test_a_reader_far_away_gets_the_same_verdict_and_its_question_is_audited(card, chips, city):
    answer = city.post("/cards/check", read_by(chips, card), key=None)
    assert (answer.status_code, answer.json()["passed"], answer.json()["failed"]) == (200, True, None)
    assert {test["outcome"] for test in answer.json()["tests"]} == {"passed"}
    assert card.person.name not in answer.content.decode()
    row = Event.objects.get(event="card.checked")
    assert (row.subject, '"genuine":true' in row.facts) == (card.subject, True)
    for wrong, failed in (
        ({"response": "00" * 8}, "INTERNAL_AUTHENTICATION"),
        ({"response": ""}, "INTERNAL_AUTHENTICATION"),
        ({"historical_bytes": read_by(chips, card)["historical_bytes"][:-2] + "99"}, "SERIAL"),
        ({"historical_bytes": "00"}, "ATR_FORM"),
        ({"identification_code": card.identification_code[:24] + "00000000"}, "AUTHENTICATION_CODE"),
    ):
        assert city.post("/cards/check", read_by(chips, card, **wrong), key=None).json()["failed"] == failed
    Card.objects.filter(pk=card.pk).update(state="blocked")
    told = city.post("/cards/check", read_by(chips, card), key=None, Accept_Language="zh-Hans").json()
    assert told["failed"] == "RECORDS" and "状态" in told["tests"][-1]["remark"]
    assert Event.objects.filter(event="card.checked").count() == 7


def test_what_is_no_fact_of_a_card_is_refused_and_not_repeated(card, chips, city):
    for wrong in (
        {"challenge": "00"},
        {"response": "zz"},
        {"algorithm": "AES"},
        {"key_version": 4},
        {"identification_code": "0" * 32},
        {"historical_bytes": "008"},
        {"holder": "张三"},
    ):
        answer = city.post("/cards/check", read_by(chips, card, **wrong), key=None)
        assert answer.status_code in (400, 422), wrong
        assert not Event.objects.filter(event="card.checked").exists()
