"""Pages about keys: the tree as picture and table, the key, consignments, the catalogue, asking (S1, K1-K3)."""

from __future__ import annotations

import re
from html import unescape

import pytest
from tests.support.keys import HAIKOU, HAINAN, MINISTRY, SM4

from sheka.office.approvals.models import Proposal
from sheka.systems.keys.catalogue import entries
from sheka.systems.keys.incidents import FreezeKey
from sheka.systems.keys.models import Consignment, Key

LABEL = "IRK.SM4.1"


@pytest.fixture
def passed(world):
    """IRK at three levels: on its way to the city, imported there, active."""
    world.generate(MINISTRY, names=["IRK"])
    serial = world.card()
    world.pass_down(MINISTRY, HAINAN, serial)
    world.pass_down(HAINAN, HAIKOU, serial)
    world.activate(HAIKOU)
    return world


def text_of(answer):
    assert answer.status_code == 200, answer.content[:300]
    return unescape(answer.content.decode())


def values(code):
    return Key.objects.get(organisation_id=code, name="IRK", algorithm=SM4).check_value


@pytest.mark.req("S1")
@pytest.mark.req("K1")
def test_the_tree_shows_the_check_value_of_every_level_as_picture_and_as_table(passed, at_desk):
    page = text_of(at_desk(passed.officer[MINISTRY]).get(f"/keys/of/{LABEL}/tree"))
    picture = page[page.index("<svg viewBox") : page.index("</svg>", page.index("<svg viewBox"))]
    table = page[page.index('id="tree-table"') :]
    for code in (MINISTRY, HAINAN, HAIKOU):
        assert values(code) in picture and values(code) in table
    assert 'role="img"' in picture and 'aria-labelledby="tree-title"' in picture
    assert 'style="' not in picture, "the policy of content forbids it"
    assert "0 cards in use" in table


@pytest.mark.req("K2")
def test_the_city_sees_what_came_along_and_nothing_above_it(passed, at_desk):
    page = text_of(at_desk(passed.officer[HAIKOU], "zh-hans").get(f"/keys/of/{LABEL}/tree"))
    assert values(HAIKOU) in page and values(HAINAN) in page
    assert values(MINISTRY) not in page
    assert "密钥树" in page and "随密钥告知" in page


@pytest.mark.req("K1")
def test_a_key_is_named_with_its_check_value_and_has_a_life_line(passed, at_desk):
    desk = at_desk(passed.officer[HAIKOU])
    page = text_of(desk.get(f"/keys/of/{LABEL}"))
    names = re.findall(r'<span class="key-name">.*?key-name__check">(\w+)</span>', page)
    assert names == [values(HAIKOU)]
    for word in ("Imported into the machine", "Activated", values(HAINAN), "internal authentication", "imported"):
        assert word in page
    listed = text_of(desk.get("/keys?state=active"))
    assert values(HAIKOU) in listed and f"/keys/of/{LABEL}" in listed
    assert desk.get("/keys/of/NONE.SM4.1").status_code == 404
    assert desk.get("/keys/of/IRK").status_code == 404


@pytest.mark.req("K9")
def test_a_suspended_key_says_by_which_incident(passed, at_desk):
    FreezeKey.freeze(passed.officer[HAIKOU].process("incident:I-1", HAIKOU), LABEL, "I-1")
    page = text_of(at_desk(passed.officer[HAIKOU]).get(f"/keys/of/{LABEL}"))
    assert "Suspended by incident I-1" in page and "suspended" in page


@pytest.mark.req("K2")
def test_a_consignment_shows_its_keys_and_the_chain_of_custody_of_its_carrier(passed, at_desk):
    made = Consignment.objects.get(held_by_id=MINISTRY)
    desk = at_desk(passed.custodian[MINISTRY])
    assert made.carrier in text_of(desk.get("/keys/consignments"))
    assert made.carrier in text_of(desk.get("/keys/consignments?direction=sender&state=acknowledged"))
    page = text_of(desk.get(f"/keys/consignments/{made.number}"))
    for word in (made.carrier, "check values agree", values(HAINAN), values(MINISTRY), "Chain of custody"):
        assert word in page
    assert at_desk(passed.officer[HAIKOU]).get(f"/keys/consignments/{made.number}").status_code == 404


@pytest.mark.req("K1")
@pytest.mark.req("K3")
def test_the_catalogue_names_every_key_of_the_card(passed, at_desk):
    page = text_of(at_desk(passed.approver[HAIKOU]).get("/keys/catalogue"))
    for entry in entries():
        assert f">{entry.name}</th>" in page
    assert values(HAIKOU) in page and "(local choice)" in page


@pytest.mark.req("K6")
def test_a_key_officer_asks_and_nobody_else(passed, at_desk):
    desk = at_desk(passed.officer[HAINAN])
    assert "Haikou" in text_of(desk.get("/keys/ask/export"))
    answer = desk.ask("POST", "/keys/ask/export", {"to": HAIKOU, "algorithm": "3", "version": "1"})
    asked = Proposal.objects.get(kind="keys.export", state="open", organisation_id=HAINAN)
    assert answer.status_code == 302 and answer["Location"] == f"/approvals/{asked.pk}"
    refused = desk.ask("POST", "/keys/ask/retire", {"algorithm": "3", "version": "1", "reason": ""})
    assert refused.status_code == 422 and "4014" in refused.content.decode()
    silent = desk.ask("POST", "/keys/ask/destroy", {"algorithm": "3", "version": "1", "text": ""})
    assert silent.status_code == 422
    assert desk.get("/keys/ask/melt").status_code == 404
    assert at_desk(passed.approver[HAINAN]).get("/keys/ask/export").status_code == 403


def test_without_keys_the_tree_says_so(world, at_desk):
    page = text_of(at_desk(world.officer[HAIKOU]).get("/keys/tree"))
    assert "No keys" in page


@pytest.mark.req("K4")
def test_the_registry_counts_the_days_and_a_certificate_is_asked_for(world, at_desk):
    desk = at_desk(world.officer[HAIKOU])
    page = text_of(desk.get("/machines"))
    assert "Encryption machines" in page and "registered, no certificate" in page
    given = {
        "model": "SJJ1012-A",
        "serial": "A1",
        "place": "vault",
        "supplier": "maker",
        "certificate": "GM00112026",
        "level": "3",
        "valid_from": "2026-01-01",
        "valid_until": "2031-01-01",
        "document": "",
    }
    assert desk.ask("POST", "/machines/certificate", {**given, "serial": ""}).status_code == 422
    assert desk.ask("POST", "/machines/certificate", {**given, "valid_until": "2020-01-01"}).status_code == 422
    assert desk.ask("POST", "/machines/certificate", given).status_code == 302
    world.consent(Proposal.objects.get(kind="machines.certify"))
    own = text_of(desk.get(f"/machines/of/{HAIKOU}"))
    assert "GM00112026" in own and "days left" in own and "Renew the certificate" in own
    assert "演示" in own and "DEMO" in own
    near = text_of(desk.get(f"/machines/of/{HAINAN}"))
    assert "Renew the certificate" not in near
    wrong = desk.ask("POST", f"/machines/of/{HAINAN}/trust", {"fingerprint": "00"})
    assert wrong.status_code == 422 and "4009" in wrong.content.decode()
    assert desk.get(f"/machines/of/{MINISTRY}").status_code == 404
    assert desk.ask("POST", "/machines/withdraw", {"reason": "worn out"}).status_code == 302
