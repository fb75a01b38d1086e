"""The pages of PSAMs and of the block list, through every layer of the console (K5, K8, K9)."""

from __future__ import annotations

import re

import pytest
from tests.support.approvals import present
from tests.support.desks import person_at, signed_in
from tests.support.payments import CITY

from sheka.foundation.refusals import Code
from sheka.office.staff.models import StaffMember
from sheka.office.staff.queries import actor_of
from sheka.systems.custody.models import Carrier
from sheka.systems.psams.actions.follow_custody import follow_custody
from sheka.systems.psams.models import Psam
from sheka.systems.transactions.actions.blocks import block, lift_digest
from sheka.systems.transactions.models import Block

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desks(bank, drawer, settings, monkeypatch):
    """role → a desk of Haikou in English; the console's drawer is that of the test."""
    monkeypatch.setattr("sheka.faces.console.psams.verbs.reader_with", drawer.reader)

    def desk(role, language="en"):
        return signed_in(person_at(CITY, role), language)

    return desk


def person(role) -> StaffMember:
    return StaffMember.objects.get(login=f"gen-{role}-460100".replace("_", "-"))


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return answer.content.decode()


@pytest.mark.req("K8")
@pytest.mark.req("K5")
def test_a_psam_is_loaded_bound_shipped_and_taken_back_from_its_page(desks, psams, city_keys):
    keys, acquiring, custodian = desks("key_officer"), desks("acquiring_officer"), desks("custodian")
    (serial,) = psams(1, actor_of(person("key_officer")))
    follow_custody(actor_of(person("custodian")))
    assert serial in text_of(keys.get("/psams"))
    assert "Load keys" in text_of(keys.get(f"/psams/{serial}"))
    assert "Load keys" not in text_of(acquiring.get(f"/psams/{serial}"))
    assert keys.ask("POST", f"/psams/{serial}/load").status_code == 302
    page = text_of(keys.get(f"/psams/{serial}"))
    assert "Check value" in page and "one factor" in page and "has seen no purchase" in page
    refused = acquiring.ask("POST", f"/psams/{serial}/bind", {"terminal": "460100000001"})
    not_handed_over = str(Code.CARRIER_NOT_IN_HAND.value)
    assert refused.status_code == 409 and not_handed_over in refused.content.decode()
    Carrier.objects.filter(serial=serial).update(keeper=person("acquiring_officer"))
    assert acquiring.ask("POST", f"/psams/{serial}/bind", {"terminal": "46010000"}).status_code == 422
    for verb, form in (
        ("bind", {"terminal": "460100000001"}),
        ("ship", {"receiver": "门诊收费处"}),
        ("activate", {}),
        ("describe", {"form": "id000", "conditions": "室内", "mode": "terminal", "since": "2026-01-05"}),
    ):
        assert acquiring.ask("POST", f"/psams/{serial}/{verb}", form).status_code == 302, verb
    page = text_of(acquiring.get(f"/psams/{serial}"))
    assert "in the terminal&#x27;s slot" in page and "2026" in page
    assert acquiring.ask("POST", f"/psams/{serial}/take_back", {"text": "终端报废"}).status_code == 403
    assert custodian.ask("POST", f"/psams/{serial}/take_back", {"text": "终端报废"}).status_code == 302
    assert custodian.get(f"/psams/{serial}/explode").status_code == 404
    assert custodian.get("/psams/53480100000000999999").status_code == 404
    assert "已收回" in text_of(desks("custodian", "zh-hans").get(f"/psams/{serial}"))


@pytest.mark.req("K9")
def test_a_loss_is_reported_from_the_page_of_the_psam(desks, in_use):
    serial = in_use()
    custodian = desks("custodian")
    assert "Report it lost" in text_of(custodian.get(f"/psams/{serial}"))
    assert custodian.ask("POST", f"/psams/{serial}/report_lost", {"text": "x"}).status_code == 422
    assert custodian.ask("POST", f"/psams/{serial}/report_lost", {"text": "巡检时未见"}).status_code == 302
    page = text_of(custodian.get(f"/psams/{serial}"))
    assert "reported lost" in page and "on the block list" in page
    assert Psam.objects.get(serial=serial, organisation_id=CITY).state == "lost"


@pytest.mark.req("K8")
def test_the_map_says_in_words_and_numbers_where_the_psams_are(desks, in_use, psams):
    in_use()
    psams(2)
    follow_custody(actor_of(person_at(CITY, "custodian")))
    page = text_of(desks("auditor").get("/psams/map"))
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", page, re.DOTALL)
    counts = [re.findall(r"<td class=\"amount\">(\d+)</td>", row) for row in rows]
    assert ["1", "0", "2", "0", "0", "3"] in counts
    assert (page.count("<g transform"), len(rows)) == (5, 1)
    assert "3 PSAMs" in page and "style=" not in page.partition("<main")[2]
    assert "海口市" in text_of(desks("auditor", "zh-hans").get("/psams/map"))


@pytest.mark.req("K5")
def test_psams_are_ordered_of_the_ministry(desks):
    custodian = desks("custodian")
    assert "Order PSAMs" in text_of(custodian.get("/psams/orders"))
    assert custodian.ask("POST", "/psams/orders/new", {"count": "0", "purpose": "窗口"}).status_code == 422
    assert custodian.ask("POST", "/psams/orders/new", {"count": "20", "purpose": "新增窗口"}).status_code == 302
    page = text_of(custodian.get("/psams/orders"))
    assert "新增窗口" in page and "to be decided" in page
    assert desks("key_officer").get("/psams/orders/new").status_code == 403
    far = custodian.ask("POST", "/psams/orders/new", {"count": "99999", "purpose": "新增窗口"})
    assert far.status_code >= 400


@pytest.mark.req("K8")
def test_a_block_is_placed_by_one_and_lifted_by_another_who_is_present(desks, monkeypatch):
    acquiring, approver = desks("acquiring_officer"), desks("approver")
    assert (
        acquiring.ask("POST", "/blocks/new", {"kind": "terminal", "subject": "1", "reason": "被盗"}).status_code == 422
    )
    assert acquiring.ask("POST", "/blocks/new", {"kind": "psam"}).status_code == 422
    form = {"kind": "terminal", "subject": "460100000001", "reason": "被盗"}
    assert acquiring.ask("POST", "/blocks/new", form).status_code == 302
    row = Block.objects.get()
    page = text_of(acquiring.get("/blocks"))
    assert "460100000001" in page and "被盗" in page and "in force" in page
    assert "Lift the block" in text_of(approver.get(f"/blocks/{row.pk}/lift"))
    assert "Lift the block" not in text_of(desks("auditor").get(f"/blocks/{row.pk}/lift"))
    asked = approver.ask("POST", f"/blocks/{row.pk}/lift", {"text": "已找回"})
    assert "Lift the block of 460100000001" in asked.content.decode()
    assert Block.objects.get().lifted_at is None
    monkeypatch.setattr("sheka.faces.console.psams.blocks.confirm", lambda request, digest, about: None)
    own = acquiring.ask("POST", f"/blocks/{row.pk}/lift", {"text": "已找回"})
    assert own.status_code == 403 and "4463" in own.content.decode()
    absent = approver.ask("POST", f"/blocks/{row.pk}/lift", {"text": "已找回"})
    assert absent.status_code != 302
    monkeypatch.setattr(
        "sheka.faces.console.psams.blocks.confirm",
        lambda request, digest, about: present(request.actor, digest) and None,
    )
    assert approver.ask("POST", f"/blocks/{row.pk}/lift", {"text": "已找回"}).status_code == 302
    assert "lifted" in text_of(approver.get("/blocks?force=lifted"))
    assert "460100000001" not in text_of(approver.get("/blocks?force=force"))
    assert lift_digest(row) != lift_digest(block(actor_of(person("acquiring_officer")), **form))
    assert approver.get("/blocks/999/lift").status_code == 404
