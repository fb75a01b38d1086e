"""A partner settles a terminal's batch over REST (S4, S8): in balance, out of balance by its lines, an answer lost."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest
from django.db import connection
from tests.support.acquiring import SHOP
from tests.support.api import partner_of
from tests.systems.transactions.test_partner_requests import Deaf, code_of, hospital, key, online, purchase

from sheka.foundation.refusals import Code
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions import partner_line
from sheka.systems.transactions.batch_models import PartnerBatch
from sheka.systems.transactions.models import Window
from sheka.systems.transactions.verb_models import Abnormal, Batch, BatchLine

__all__ = ["hospital", "online"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4"), pytest.mark.req("S8")]
REST = "460100000077"
NONE = {
    f"{name}{unit}": 0 for name in ("credits", "credits_reversed", "debits", "debits_reversed") for unit in ("", "_fen")
}


def totals(**moved):
    return {**NONE, **moved}


def settlement(day, figures, **other):
    return {"terminal": REST, "settlement_day": day, "totals": figures, **other}


@pytest.fixture
def traded(bank, hospital, online):
    """Two purchases, a part of one refunded, one reversed; their keys and the day that the switch named."""
    keys = {name: key() for name in ("first", "second", "refund", "reversal")}
    told = hospital.post("/partner/purchases", purchase(bank, 500), key=keys["first"]).json()
    hospital.post("/partner/purchases", purchase(bank, 300), key=keys["second"])
    refund = {"original": keys["first"], "amount_fen": 200}
    assert hospital.post("/partner/refunds", refund, key=keys["refund"]).status_code == 201
    assert hospital.post("/partner/reversals", {"original": keys["second"]}, key=keys["reversal"]).status_code == 201
    assert told["settlement_day"] == Window.objects.get(closed_at=None).settlement_date.isoformat()
    right = totals(debits=2, debits_fen=800, debits_reversed=1, debits_reversed_fen=300, credits=1, credits_fen=200)
    return keys, told["settlement_day"], right


def test_a_batch_in_balance_is_told_so_once(traded, hospital, bank):
    """A partner that closes its day must know that both sides counted the same."""
    _keys, day, right = traded
    mine = key()
    first = hospital.post("/partner/settlements", settlement(day, right), key=mine)
    told = first.json()
    assert (first.status_code, told["state"], told["refusal"], told["ours"]) == (201, "in_balance", 0, right), told
    again = hospital.post("/partner/settlements", settlement(day, right), key=mine)
    assert again.json() == told and again["Idempotency-Replayed"] == "true"
    assert hospital.get(f"/partner/settlements/{mine}").json() == told
    assert Batch.objects.count() == 1, "sent again it is not compared again"
    other = hospital.post("/partner/settlements", settlement(day, NONE), key=mine)
    assert code_of(other) == (422, Code.API_KEY_REUSED.value)
    paid = hospital.post("/partner/purchases", purchase(bank, 1), key=mine)
    assert code_of(paid) == (422, Code.API_KEY_REUSED.value), "one id, one request, of whatever kind"


def test_out_of_balance_is_found_line_by_line(traded, hospital):
    """The desk must hear of the line that differs and of the one that nobody uploaded, and of no other."""
    keys, day, right = traded
    wrong = {**right, "debits_fen": 805}
    told = hospital.post("/partner/settlements", settlement(day, wrong)).json()
    assert (told["state"], told["refusal"], told["response_code"]) == ("out_of_balance", 4485, "95")
    assert told["ours"] == right and told["theirs"] == wrong
    lines = [{"request": keys["first"], "amount_fen": 505}, {"request": keys["second"], "amount_fen": 300}]
    lines.append({"request": keys["reversal"], "amount_fen": 300})
    mine, body = key(), {"terminal": REST, "settlement_day": day, "lines": lines}
    sent = hospital.post("/partner/uploads", body, key=mine)
    assert sent.status_code == 201, sent.content
    answered = [(line["request"], line["state"], line["refusal"]) for line in sent.json()["lines"]]
    assert answered == [
        (keys["first"], "refused", Code.BATCH_LINE_DIFFERS.value),
        (keys["second"], "accepted", 0),
        (keys["reversal"], "accepted", 0),
    ]
    assert hospital.post("/partner/uploads", body, key=mine).json() == sent.json()
    assert hospital.get(f"/partner/uploads/{mine}").json() == sent.json()
    assert BatchLine.objects.count() == 3, "an upload that was sent again uploads nothing again"
    after = hospital.post("/partner/settlements", settlement(day, right, after_upload=True)).json()
    assert after["state"] == "out_of_balance", "the refund has no line and one line differs"
    assert sorted(Abnormal.objects.values_list("kind", flat=True)) == ["batch_differs", "batch_only_ours"]
    mended = [{"request": keys["first"], "amount_fen": 500}, {"request": keys["refund"], "amount_fen": 200}]
    hospital.post("/partner/uploads", {**body, "lines": mended})
    after = hospital.post("/partner/settlements", settlement(day, right, after_upload=True)).json()
    assert (after["state"], after["after_upload"]) == ("in_balance", True)


def test_an_answer_that_was_lost_is_found_by_what_the_switch_wrote(traded, hospital, online, monkeypatch):
    _keys, day, right = traded
    mine, deaf = key(), Deaf((online.host, online.port))
    monkeypatch.setattr(partner_line, "address", lambda: deaf.address)
    lost = hospital.post("/partner/settlements", settlement(day, right), key=mine)
    deaf.close()
    assert code_of(lost) == (503, Code.SWITCH_OUTCOME_UNKNOWN.value)
    assert PartnerBatch.objects.get(key=mine).state == "sent"
    told = hospital.get(f"/partner/settlements/{mine}").json()
    assert (told["state"], told["ours"]) == ("in_balance", right), "compared; only the answer was lost"


def test_an_upload_whose_answers_were_lost_goes_on_where_it_stood(traded, hospital, online, monkeypatch):
    keys, day, _right = traded
    lines = [{"request": keys[name], "amount_fen": amount} for name, amount in (("first", 500), ("second", 300))]
    mine, body = key(), {"terminal": REST, "settlement_day": day, "lines": lines}
    deaf = Deaf((online.host, online.port))
    monkeypatch.setattr(partner_line, "address", lambda: deaf.address)
    lost = hospital.post("/partner/uploads", body, key=mine)
    assert code_of(lost) == (503, Code.SWITCH_OUTCOME_UNKNOWN.value)
    assert [line["state"] for line in hospital.get(f"/partner/uploads/{mine}").json()["lines"]] == ["unknown"] * 2
    deaf.close()
    monkeypatch.setattr(partner_line, "address", lambda: (online.host, online.port))
    sent = hospital.post("/partner/uploads", body, key=mine)
    assert [line["state"] for line in sent.json()["lines"]] == ["accepted"] * 2, sent.content
    assert BatchLine.objects.count() == 2


def test_a_batch_that_never_reached_the_switch_may_be_sent_again(traded, hospital, online, monkeypatch):
    _keys, day, right = traded
    mine = key()
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        dead = nobody.getsockname()[:2]
    monkeypatch.setattr(partner_line, "address", lambda: dead)
    answer = hospital.post("/partner/settlements", settlement(day, right), key=mine)
    assert code_of(answer) == (503, Code.SWITCH_UNREACHABLE.value)
    assert hospital.get(f"/partner/settlements/{mine}").json()["state"] == "not_sent"
    monkeypatch.setattr(partner_line, "address", lambda: (online.host, online.port))
    assert hospital.post("/partner/settlements", settlement(day, right), key=mine).status_code == 201


def test_what_cannot_be_settled_is_refused_with_its_number(traded, hospital, installer, bank):
    keys, day, right = traded
    today = Window.objects.get(closed_at=None).settlement_date
    for other in (today + timedelta(days=2), today - timedelta(days=3), today - timedelta(days=364)):
        mine = key()
        for _ in range(2):
            answer = hospital.post("/partner/settlements", settlement(other.isoformat(), right), key=mine)
            assert code_of(answer) == (404, Code.SETTLEMENT_DAY_UNKNOWN.value), answer.content
            assert answer["Content-Type"] == "application/problem+json"
    held = key()
    hospital.post("/partner/preauthorisations", purchase(bank, 100), key=held)
    for one, code in ((key(), Code.PARTNER_REQUEST_UNKNOWN), (held, Code.PARTNER_ORIGINAL_UNFIT)):
        body = {"terminal": REST, "settlement_day": day, "lines": [{"request": one, "amount_fen": 1}]}
        assert code_of(hospital.post("/partner/uploads", body))[1] == code.value
    empty = {"terminal": REST, "settlement_day": day, "lines": []}
    assert hospital.post("/partner/uploads", empty).status_code == 422
    foreign = hospital.post("/partner/settlements", {**settlement(day, right), "terminal": "460100999999"})
    assert code_of(foreign) == (404, Code.TERMINAL_NOT_YOURS.value)
    reader = partner_of(installer, SHOP, [Permission.TRANSACTION_VIEW])
    assert code_of(reader.post("/partner/settlements", settlement(day, right))) == (403, Code.PERMISSION_MISSING.value)
    mine = key()
    hospital.post("/partner/settlements", settlement(day, right), key=mine)
    stranger = partner_of(installer, SHOP)
    assert code_of(stranger.get(f"/partner/settlements/{mine}")) == (403, Code.PARTNER_WITHOUT_INSTITUTION.value)
    assert keys


def test_batches_of_partners_are_seen_by_their_city_alone(traded, hospital):
    """Row-level security: nothing set, nothing seen."""
    from sheka.office.scope import acting_in

    _keys, day, right = traded
    hospital.post("/partner/settlements", settlement(day, right))
    for path, seen in (("", 0), ("o000000.o460000.o460200", 0), ("o000000.o460000.o460100", 1)):
        with acting_in(path), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM transactions_partnerbatch")
            assert cursor.fetchone()[0] == seen, path
