"""The convention of every operation: one answer for one key, versions, pages that nothing shifts, tokens."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client as Browser
from django.utils import timezone
from tests.support.api import BASE, partner_of

from sheka.foundation.refusals import Code
from sheka.office.audit.models import Event
from sheka.office.clients.models import Client, Reply
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.scope import whole_node
from sheka.systems.cards.models import Card, CardEvent


@pytest.fixture(scope="module")
def town(town_here):
    """The town's facts, with a second city's client and the first one's."""
    from sheka.faces.story.cast import HAIKOU, PHARMACY, installer

    everybody = {"city": HAIKOU, "elsewhere": "460200", "pharmacy": PHARMACY}
    return town_here | {name: partner_of(installer(), place) for name, place in everybody.items()}


def code_of(answer):
    return answer.json().get("code")


def active(town, number=0):
    """The number of a card that is active and of no other test."""
    used = {card["number"] for card in town["cards"].values()}
    return Card.objects.filter(state="active").exclude(number__in=used).order_by("pk")[number].number


def test_a_loss_report_sent_twice_is_done_once_and_answered_twice(town, db):
    number, key = active(town), str(uuid4())
    first = town["city"].post(f"/cards/{number}/loss-reports", {"how": "持卡人来电"}, key=key)
    assert (first.status_code, first.json()["state"]) == (201, "temporarily_lost")
    again = town["city"].post(f"/cards/{number}/loss-reports", {"how": "持卡人来电"}, key=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    assert CardEvent.objects.filter(card__number=number, event="lost_temporarily").count() == 1
    assert Event.objects.filter(event="card.report_loss_temporarily", subject=f"card:{number}").count() == 1


def test_the_same_key_for_another_request_is_refused(town, db):
    number, key = active(town), str(uuid4())
    town["city"].post(f"/cards/{number}/loss-reports", {"how": "持卡人来电"}, key=key)
    other = town["city"].post(f"/cards/{number}/loss-reports", {"how": "另一次来电"}, key=key)
    assert (other.status_code, code_of(other)) == (422, Code.API_KEY_REUSED.value)


def test_a_refusal_is_kept_for_its_key_and_a_body_that_was_not_read_is_not(town, db):
    key = str(uuid4())
    unread = town["city"].post("/cards/D0000000X/loss-reports", {"how": ""}, key=key)
    assert code_of(unread) == Code.API_FIELD.value
    assert not Reply.objects.filter(key=key).exists()
    refused = town["city"].post("/cards/D0000000X/loss-reports", {"how": "来电"}, key=key)
    assert code_of(refused) == Code.CARD_UNKNOWN.value
    again = town["city"].post("/cards/D0000000X/loss-reports", {"how": "来电"}, key=key)
    assert (again.content, again.headers["Content-Type"]) == (refused.content, "application/problem+json")


@pytest.mark.parametrize("key", [None, "short", "x" * 65, "spaces are not allowed", "a" * 15 + "\n"])
def test_a_change_needs_a_key(town, db, key):
    headers = {} if key is None else {"Idempotency_Key": key}
    answer = town["city"].post(f"/cards/{active(town)}/loss-reports", {"how": "来电"}, key=None, **headers)
    assert (answer.status_code, code_of(answer)) == (400, Code.API_KEY_MISSING.value)


def test_a_change_names_the_version_it_saw(town, db):
    number, city = active(town), town["city"]
    tag = city.get(f"/cards/{number}").headers["ETag"]
    stale = city.post(f"/cards/{number}/loss-reports", {"how": "来电"}, If_Match='"v999"')
    assert (stale.status_code, code_of(stale)) == (412, Code.API_VERSION.value)
    assert Card.objects.get(number=number).state == "active"
    done = city.post(f"/cards/{number}/loss-reports", {"how": "来电"}, If_Match=tag)
    assert done.status_code == 201
    assert done.headers["ETag"] == city.get(f"/cards/{number}").headers["ETag"] != tag


def test_a_read_again_costs_nothing_until_it_has_changed(town, db):
    city = town["city"]
    first = city.get("/organisations")
    same = city.get("/organisations", If_None_Match=first.headers["ETag"])
    assert (same.status_code, same.content) == (304, b"")
    assert city.get("/organisations", If_None_Match='"else", W/' + first.headers["ETag"]).status_code == 304
    other = city.get("/organisations", If_None_Match=first.headers["ETag"], Accept_Language="zh-Hans")
    assert other.status_code == 304, "names of organisations come in both languages"
    assert city.get("/regions", If_None_Match=first.headers["ETag"]).status_code == 200


def test_pages_hold_every_row_once_also_when_rows_come_in_between(town, db):
    city, seen, path = town["city"], [], "/organisations?limit=2"
    numbers = iter(range(10))
    while path:
        answer = city.get(path)
        body = answer.json()
        seen += [item["code"] for item in body["items"]]
        assert len(body["items"]) <= 2
        assert ('rel="next"' in answer.headers["Link"]) is (body["next"] is not None)
        from sheka.faces.story.cast import installer

        add_organisation(
            installer(),
            code=f"460100-0A{next(numbers)}",  # before what was read already, or after what is to come
            name="新网点",
            name_en="New outlet",
            kind="outlet",
            region="460106",
            parent="460100",
            valid_from=timezone.localdate(),
        )
        path = f"/organisations?{urlencode({'limit': 2, 'cursor': body['next']})}" if body["next"] else ""
    assert len(seen) == len(set(seen))
    assert {"460100", "460100-01", "460100-CC"} <= set(seen)


def test_a_cursor_of_another_list_or_a_changed_one_is_refused(town, db):
    city = town["city"]
    cursor = city.get("/organisations?limit=1").json()["next"]
    for path in (f"/institutions?cursor={cursor}", f"/organisations?cursor={cursor[:-1]}", "/organisations?cursor=x"):
        answer = city.get(path)
        assert (answer.status_code, code_of(answer)) == (400, Code.API_CURSOR.value)


def test_a_client_of_another_city_sees_nothing_of_this_one(town, db):
    elsewhere, number = town["elsewhere"], active(town)
    key = str(uuid4())
    asked = [
        elsewhere.get(f"/cards/{number}"),
        elsewhere.post("/cards/state", {"card_number": number}, key=None),
        elsewhere.post("/accounts/search", {"card_number": number}, key=None),
        elsewhere.post(f"/cards/{number}/loss-reports", {"how": "来电"}, key=key),
        elsewhere.post(f"/cards/{number}/blocks", {"reason": "冒用"}),
        elsewhere.get("/organisations/460100"),
    ]
    assert {answer.status_code for answer in asked} == {404}
    assert Card.objects.get(number=number).state == "active"
    name = Card.objects.select_related("person").get(number=number).person.name
    assert elsewhere.post("/cards/search", {"holder": name}, key=None).json() == {"items": [], "total": 0}
    for path in ("/exchanges", "/transactions", "/institutions", "/exceptions", "/clearing/days", "/keys"):
        assert elsewhere.get(path).json()["items"] == [], path


def test_a_pharmacy_reads_its_own_transactions_and_asks_for_cards_of_its_city_only(town, db):
    pharmacy = town["pharmacy"]
    rows = pharmacy.get("/transactions").json()["items"]
    assert rows and {row["institution"] for row in rows} == {"P46010000001"}
    assert all("*" in row["card_number"] for row in rows)
    assert [row["code"] for row in pharmacy.get("/institutions").json()["items"]] == ["P46010000001"]
    assert pharmacy.get(f"/transactions/{rows[0]['id']}").json() == rows[0]
    assert pharmacy.get(f"/cards/{active(town)}").json()["usable"] is True
    for path in ("/organisations", "/exchanges", "/keys", "/jobs", "/audit/head", "/exceptions"):
        assert pharmacy.get(path).status_code == 403, path


def test_a_pharmacy_sends_its_own_file_of_a_day_and_no_other(town, db):
    from sheka.systems.clearing.acquirer_file import render

    other = render("P46010000099", timezone.localdate() - timedelta(days=400), [])
    answer = town["pharmacy"].post("/clearing/files", other, Content_Type="text/plain")
    assert code_of(answer) == Code.CLEARING_DAY_UNKNOWN.value
    days = town["pharmacy"].get("/clearing/days").json()["items"]
    assert days, "the story has sealed a day"
    day = timezone.datetime.fromisoformat(days[0]["settlement_date"]).date()
    answer = town["pharmacy"].post("/clearing/files", render("P46010000099", day, []), Content_Type="text/plain")
    assert code_of(answer) == Code.INSTITUTION_UNKNOWN.value
    details = town["pharmacy"].get(f"/clearing/days/{day}").json()
    assert {file["acquirer"] for file in details["files"]} <= {"P46010000001"}
    broken = town["pharmacy"].post("/clearing/files", b"H|1|", Content_Type="text/plain")
    assert code_of(broken) == Code.CLEARING_FILE_TRAILER.value


def test_the_same_key_on_two_connections_at_once_is_done_once(town):
    """Committed: two threads, two connections, one row."""
    number, key, answers = active(town, 1), str(uuid4()), []
    gate = threading.Barrier(2)

    def send():
        with whole_node("a thread of the test"):
            gate.wait()
            answers.append(town["city"].post(f"/cards/{number}/loss-reports", {"how": "同时来电"}, key=key))
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert sorted("Idempotency-Replayed" in answer.headers for answer in answers) == [False, True]
    assert CardEvent.objects.filter(card__number=number, event="lost_temporarily").count() == 1


def test_the_secret_goes_by_basic_or_by_form_and_errors_are_those_of_oauth(town, db):
    city = town["city"]

    def ask(form, **headers):
        kind = "application/x-www-form-urlencoded"
        return Browser().generic("POST", f"{BASE}/token", urlencode(form), kind, headers=headers)

    basic = base64.b64encode(f"{city.code}:{city.secret}".encode()).decode()
    good = ask({"grant_type": "client_credentials"}, Authorization=f"Basic {basic}")
    assert (good.status_code, good.json()["token_type"]) == (200, "Bearer")
    assert good.headers["Cache-Control"] == "no-store"
    form = {"grant_type": "client_credentials", "client_id": city.code, "client_secret": "shekas_wrong"}
    cases = [
        (ask(form), 401, "invalid_client"),
        (ask({"grant_type": "client_credentials"}, Authorization="Basic ####"), 401, "invalid_client"),
        (ask({"grant_type": "client_credentials"}, Authorization="Basic YQ=="), 401, "invalid_client"),
        (ask(form | {"client_id": "\x00"}), 401, "invalid_client"),
        (ask({"grant_type": "password"}), 400, "unsupported_grant_type"),
        (ask(form | {"client_secret": city.secret, "scope": "key.decide"}), 400, "invalid_scope"),
    ]
    for answer, status, error in cases:
        assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert cases[0][0].headers["WWW-Authenticate"].startswith("Basic")
    Client.objects.filter(code=city.code).update(locked_until=timezone.now() + timedelta(minutes=5))
    locked = ask(form | {"client_secret": city.secret})
    assert (locked.status_code, locked.headers["Retry-After"]) == (429, "300")


def test_no_address_of_the_api_takes_a_persons_number():
    from sheka.faces.api.urls import described

    for path, item in described()["paths"].items():
        for operation in item.values():
            names = {p.get("name", "") for p in operation["parameters"] if p.get("in") in ("path", "query")}
            assert not {name for name in names if "person" in name or "holder" in name or name == "name"}, path
