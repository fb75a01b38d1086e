"""PSAMs and the block list over the API: the own register with its use, never a key, nothing of others (K8, S4)."""

from __future__ import annotations

import pytest
from django.utils import timezone
from tests.support.api import partner_of
from tests.support.payments import CITY, HOSPITAL, SwitchProcess

from sheka.foundation.refusals import Code
from sheka.office.staff.permissions import Permission
from sheka.systems.psams.models import Psam
from sheka.systems.transactions.actions.bind_psam import bind_psam, put_in_service
from sheka.systems.transactions.models import Block
from sheka.systems.transactions.terminal import Terminal

pytestmark = [pytest.mark.django_db, pytest.mark.req("K8")]
PROVINCE, OTHER_CITY, TERMINAL = "460000", "460200", "460100000001"
KEY = {"name": "PSAM-IRK", "version": 1, "algorithm": "SM4", "check_value": "A1B2C3D4"}


@pytest.fixture
def psam(tree):
    """psam(serial, place, **fields) → a row of a register."""

    def make(serial, place=CITY, **fields):
        now, row = timezone.now(), {"state": "loaded", "level": "city", "region": CITY, "keys": [KEY]} | fields
        return Psam.objects.create(serial=serial, organisation_id=place, registered_at=now, since=now, **row)

    return make


@pytest.fixture
def block(tree):
    """block(place, subject, **fields) → an entry of the block list of an organisation."""

    def make(place, subject, **fields):
        row = {"kind": "psam", "since": timezone.now(), "by": "test", "reason": "stolen"} | fields
        return Block.objects.create(organisation_id=place, subject=subject, **row)

    return make


def items(answer):
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


def test_the_own_register_in_pages_and_by_state(installer, psam):
    for serial in ("P3", "P1", "P2"):
        psam(serial, state="active" if serial == "P2" else "loaded")
    psam("P0", OTHER_CITY)
    partner = partner_of(installer, CITY)
    first = partner.get("/psams?limit=2")
    assert [row["serial"] for row in items(first)] == ["P1", "P2"]
    assert [row["serial"] for row in items(partner.get(f"/psams?limit=2&cursor={first.json()['next']}"))] == ["P3"]
    assert items(partner.get("/psams?state=active")) == [
        {
            "serial": "P2",
            "state": "active",
            "level": "city",
            "terminal": "",
            "institution": "",
            "region": CITY,
            "last_seen": None,
            "last_counter": None,
        }
    ]
    assert [row["serial"] for row in items(partner_of(installer, OTHER_CITY).get("/psams"))] == ["P0"]


def test_a_superior_asks_by_the_state_that_it_was_told(installer, psam):
    psam("P1", PROVINCE, state="away", told_state="active")
    psam("P2", PROVINCE, state="away")
    partner = partner_of(installer, PROVINCE)
    for state, serial in (("active", "P1"), ("away", "P2")):
        assert [(row["serial"], row["state"]) for row in items(partner.get(f"/psams?state={state}"))] == [
            (serial, state)
        ]


def test_one_with_keys_by_name_and_whether_it_is_barred(installer, psam, block):
    psam("P1")
    psam("P0", OTHER_CITY)
    partner = partner_of(installer, CITY)
    found = partner.get("/psams/P1").json()
    assert (found["keys"], found["blocked"], found["days"]) == ([KEY], False, [])
    made = block(CITY, "P1")
    assert partner.get("/psams/P1").json()["blocked"] is True
    Block.objects.filter(pk=made.pk).update(lifted_at=timezone.now(), lifted_by="second", lift_reason="found")
    assert partner.get("/psams/P1").json()["blocked"] is False
    for serial in ("P0", "NONE"):
        answer = partner.get(f"/psams/{serial}")
        assert (answer.status_code, answer.json()["code"]) == (404, Code.PSAM_NOT_HERE.value)


@pytest.mark.req("S4")
def test_the_list_in_force_of_the_place_and_those_below(installer, block):
    below, own = block(CITY, "P1", incident="I460100-20261122-01"), block(PROVINCE, "P2", reason="copied")
    block(CITY, "P3", lifted_at=timezone.now(), lifted_by="second", lift_reason="found")
    foreign = block(OTHER_CITY, "P4")
    province = items(partner_of(installer, PROVINCE).get("/blocks"))
    assert [row["number"] for row in province] == [foreign.pk, own.pk, below.pk]
    (city,) = items(partner_of(installer, CITY).get("/blocks"))
    assert city.pop("since")
    assert city == {
        "number": below.pk,
        "kind": "psam",
        "subject": "P1",
        "reason": "stolen",
        "incident": "I460100-20261122-01",
        "organisation": CITY,
    }


@pytest.mark.parametrize(
    ("path", "scope"),
    [("/psams", Permission.BLOCK_VIEW), ("/psams/P1", Permission.BLOCK_VIEW), ("/blocks", Permission.PSAM_VIEW)],
)
def test_without_its_scope_nothing_is_told(installer, psam, block, path, scope):
    psam("P1")
    block(CITY, "P1")
    answer = partner_of(installer, CITY, [scope]).get(path)
    assert (answer.status_code, answer.json()["code"]) == (403, Code.PERMISSION_MISSING.value)
    assert "P1" not in answer.json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_what_the_switch_saw_is_told_with_its_day(installer, psam, bank):
    psam("P1", state="active", terminal=TERMINAL, institution=HOSPITAL)
    bind_psam(bank.actor, terminal=TERMINAL, psam="P1")
    put_in_service(bank.actor, psam="P1", active=True)
    switch = SwitchProcess()  # it begins with what is bound: nobody waits until it has heard of it
    with Terminal(switch.host, switch.port, TERMINAL, HOSPITAL, bank.mac, psam="P1", psam_sequence=41) as terminal:
        assert all(terminal.purchase(card.number, 100).approved for card in bank.cards[:2])
    switch.stop()
    found = partner_of(installer, CITY).get("/psams/P1").json()
    (day,) = found["days"]
    assert (day["uses"], day["terminals"], found["terminal"]) == (2, [TERMINAL], TERMINAL)
    assert (found["last_counter"], bool(found["last_seen"])) == (42, True)
