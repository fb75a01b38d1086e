"""Keys, catalogue, consignments and machines over the API: what may be compared, and never a key (K1, K2, K4)."""

from __future__ import annotations

import uuid
from datetime import date

import pytest
from django.utils import timezone
from tests.support.api import partner_of
from tests.support.keys import HAIKOU, HAINAN

from sheka.systems.keys.catalogue import entries
from sheka.systems.keys.models import Consignment, Key, Machine

pytestmark = [pytest.mark.req("K1"), pytest.mark.req("S1")]


@pytest.fixture
def partner(tree, appoint):
    """A client of Haikou that may see keys and machines."""
    return partner_of(appoint("security", HAIKOU, "security_administrator"), HAIKOU)


@pytest.fixture
def rows(tree):
    """A key, a consignment and a machine of Haikou; a key of Hainan."""
    now = timezone.now()
    kept = {"algorithm": 3, "version": 1, "usage": "AUTHENTICATE", "owner_level": "ministry", "reference": "secret-ref"}
    for code in (HAIKOU, HAINAN):
        Key.objects.create(organisation_id=code, name="IRK", check_value=code + "AA", state="active", since=now, **kept)
    row = {"name": "IRK", "check_value": "460100AA", "parent_check_value": "460000AA", "factor": "4601000000000000"}
    Consignment.objects.create(
        number=uuid.uuid4(),
        held_by_id=HAIKOU,
        sender=HAINAN,
        recipient=HAIKOU,
        algorithm=3,
        version=1,
        carrier="53480200000000000001",
        content=[{**row, "digest": "00"}],
        state="imported",
        loaded_at=now,
        since=now,
    )
    Machine.objects.create(
        organisation_id=HAIKOU,
        product="SJJ1012",
        certificate="GM001",
        state="certified",
        production_until=date(2027, 1, 1),
        fingerprint="AB" * 16,
        public_key="04" + "11" * 64,
        registered_at=now,
    )


def test_the_own_keys_with_check_values_and_no_reference(partner, rows):
    answer = partner.get("/keys")
    found = answer.json()["items"]
    assert [(row["name"], row["check_value"], row["state"]) for row in found] == [("IRK", "460100AA", "active")]
    assert "secret-ref" not in answer.content.decode()


def test_the_catalogue(partner):
    found = partner.get("/keys/catalogue").json()["items"]
    assert [row["name"] for row in found] == [entry.name for entry in entries()]
    assert {row["owner_level"] for row in found if row["national"]} == {"ministry"}


@pytest.mark.req("K2")
def test_consignments_name_carrier_and_check_values(partner, rows):
    found = partner.get("/keys/consignments").json()["items"]
    assert [(row["carrier"], row["state"], row["keys"][0]["check_value"]) for row in found] == [
        ("53480200000000000001", "imported", "460100AA")
    ]
    assert "digest" not in found[0]["keys"][0]


@pytest.mark.req("K4")
def test_machines_say_until_when_they_work(partner, rows):
    found = partner.get("/machines").json()["items"]
    assert [(row["organisation"], row["certificate"], row["production_until"]) for row in found] == [
        (HAIKOU, "GM001", "2027-01-01")
    ]
