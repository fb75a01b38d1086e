"""The pages of institutions and terminals, through every layer of the console (S4)."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.acquiring import SHOP, TEST_NUMBER
from tests.support.desks import person_at, signed_in
from tests.support.payments import CITY, HOSPITAL, make_cards
from tests.systems.transactions.test_onboarding import certificate

from sheka.faces.console.acquiring.pictures import EDGE, HEIGHT, WIDTH, map_of
from sheka.systems.transactions.acquiring_models import Onboarding, TestCard
from sheka.systems.transactions.models import Institution, Terminal
from sheka.systems.transactions.queries_of_acquiring import Spot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]
FORM = {"code": SHOP, "name": "海口椰风药房", "kind": "pharmacy", "region": "460106", "contract": "协议2026-9"}


@pytest.fixture
def desks(bank):
    """role → a desk of Haikou, in English when nothing else is said."""

    def desk(role, language="en"):
        return signed_in(person_at(CITY, role), language)

    return desk


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return answer.content.decode()


def test_an_institution_goes_its_way_by_the_pages_of_two_people(desks):
    officer, supervisor = desks("acquiring_officer"), desks("acquiring_supervisor")
    assert officer.ask("POST", "/acquiring/new", {**FORM, "code": "P 1"}).status_code == 422
    assert officer.ask("POST", "/acquiring/new", FORM).status_code == 302
    again = officer.ask("POST", "/acquiring/new", FORM)
    assert again.status_code == 409 and "4440" in again.content.decode()
    page = f"/acquiring/institutions/{SHOP}"
    assert "Begin the tests" in text_of(officer.get(page)) and "Activate" not in text_of(officer.get(page))
    placing = {
        "numbers": "460100000031 460100000032",
        "channel": "iso8583",
        "latitude": "20.031",
        "longitude": "110.33",
    }
    assert officer.ask("POST", f"{page}/terminals", {**placing, "numbers": "12"}).status_code == 422
    assert officer.ask("POST", f"{page}/terminals", placing).status_code == 302
    begin = {"protocol": "1.0", "software": "2.4.1", "channel": "iso8583", "terminals": TEST_NUMBER}
    assert officer.ask("POST", f"{page}/begin_testing", begin).status_code == 302
    shown = text_of(officer.get(page))
    assert "Sign-on" in shown and "missing" in shown and "Accept the tests" in shown
    refused = officer.ask("POST", f"{page}/accept", {})
    assert refused.status_code == 409 and "Echo test" in refused.content.decode()
    assert "0 of 15 steps" in text_of(officer.get(f"{page}/tests"))
    Onboarding.objects.update(ended_at=timezone.now(), outcome="accepted")
    Institution.objects.filter(code=SHOP).update(state="accepted")
    assert officer.ask("POST", f"{page}/activate", {}).status_code == 403
    assert supervisor.ask("POST", f"{page}/activate", {}).status_code == 302
    shown = text_of(supervisor.get(page))
    assert "Suspend" in shown and "Register terminals" not in shown and "in service" in shown
    one = "/acquiring/terminals/460100000031"
    assert supervisor.ask("POST", f"{one}/activate", {}).status_code == 302
    assert supervisor.ask("POST", f"{one}/suspend", {"text": ""}).status_code == 422
    assert supervisor.ask("POST", f"{one}/suspend", {"text": "终端维修"}).status_code == 302
    assert "suspended" in text_of(supervisor.get(one))
    assert (
        officer.ask(
            "POST", f"{one}/change", {"place": "二楼收费处", "latitude": "20.04", "longitude": "110.4"}
        ).status_code
        == 302
    )
    assert "二楼收费处" in text_of(officer.get(one))
    assert "已启用" in text_of(desks("acquiring_officer", "zh-hans").get("/acquiring"))


def test_certificates_show_their_fingerprint_and_whether_they_are_in_force(desks):
    officer = desks("acquiring_officer")
    page = f"/acquiring/institutions/{HOSPITAL}"
    assert officer.ask("POST", f"{page}/certificate", {"pem": "no"}).status_code == 422
    assert officer.ask("POST", f"{page}/certificate", {"pem": certificate()}).status_code == 302
    shown = text_of(officer.get(page))
    assert "in force" in shown and re.search(r"[0-9a-f]{64}", shown)
    assert "must be tested again" in shown, "it was never tested with a version that is in force"


def test_lists_filter_and_find(desks):
    auditor = desks("auditor")
    assert HOSPITAL in text_of(auditor.get("/acquiring?state=active"))
    assert HOSPITAL not in text_of(auditor.get("/acquiring?state=closed"))
    assert "460100000001" in text_of(auditor.get(f"/acquiring/terminals?institution={HOSPITAL}"))
    assert auditor.get("/acquiring/institutions/NOBODY").status_code == 404
    assert auditor.get("/acquiring/terminals/460100009999").status_code == 404
    assert desks("custodian").get("/acquiring").status_code == 403


def test_a_stranger_of_another_city_finds_nothing(desks, bank):
    far = signed_in(person_at("460200", "acquiring_officer"), "en")
    assert HOSPITAL not in text_of(far.get("/acquiring"))
    assert far.get(f"/acquiring/institutions/{HOSPITAL}").status_code == 404
    assert far.get("/acquiring/terminals/460100000001").status_code == 404


def test_the_map_says_in_shapes_and_in_a_table_where_the_terminals_are(desks):
    empty = text_of(desks("auditor").get("/acquiring/map"))
    assert "No terminal has coordinates yet" in empty
    Terminal.objects.filter(number="460100000001").update(latitude="20.031", longitude="110.329", place="门诊收费处")
    Terminal.objects.filter(number="460100000002").update(latitude="20.031", longitude="110.329", state="suspended")
    Terminal.objects.filter(number="460100000003").update(latitude="19.900", longitude="110.100")
    page = text_of(desks("auditor").get("/acquiring/map"))
    assert "2 terminals here" in page and page.count('id="at-4601') == 3 and "门诊收费处" in page
    assert "style=" not in page.partition("<main")[2] and "20.031°" in page
    assert "终端分布图" in text_of(desks("auditor", "zh-hans").get("/acquiring/map"))


def test_a_test_card_is_set_apart_by_the_supervisor_and_shown_masked(desks, tree):
    (card,) = make_cards(tree[CITY], 1, first=800)
    officer, supervisor = desks("acquiring_officer"), desks("acquiring_supervisor")
    assert officer.ask("POST", "/acquiring/test-cards", {"card_number": card.number}).status_code == 403
    assert supervisor.ask("POST", "/acquiring/test-cards", {"card_number": "1"}).status_code == 422
    assert supervisor.ask("POST", "/acquiring/test-cards", {"card_number": card.number}).status_code == 302
    page = text_of(officer.get("/acquiring/test-cards"))
    assert card.number not in page and TestCard.objects.get().card_number == card.number
    other = supervisor.ask("POST", "/acquiring/test-cards", {"card_number": "P00000011"})
    assert other.status_code in (409, 422)


def test_an_institution_with_an_old_version_stands_out(desks):
    Institution.objects.filter(code=HOSPITAL).update(protocol="0.1")
    assert "must be tested again" in text_of(desks("auditor").get(f"/acquiring/institutions/{HOSPITAL}"))


PLACES = st.lists(
    st.tuples(st.floats(-89, 89, allow_nan=False), st.floats(-179, 179, allow_nan=False)), min_size=1, max_size=30
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(PLACES)
def test_every_terminal_is_on_the_picture_once(places):
    spots = [
        Spot(Terminal(number=f"{n:012d}", state="active", latitude=round(y, 3), longitude=round(x, 3)), None)
        for n, (y, x) in enumerate(places)
    ]
    picture = map_of(spots)
    assert sum(mark.number for mark in picture.marks) == len(spots)
    for mark in picture.marks:
        assert EDGE - 1 <= mark.x <= WIDTH - EDGE + 1 and EDGE - 1 <= mark.y <= HEIGHT - EDGE + 1
