"""Whole ceremonies on a real machine: what reaches the register, what never does, what the minutes say (K2, K3, K6)."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader
from tests.support.ceremonies import approved_generation, planned, play

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.kcv import check_value
from sheka.office.documents.actions.view_document import view_document
from sheka.systems.ceremonies.actions.issue_minutes import issue_minutes
from sheka.systems.ceremonies.models import Act
from sheka.systems.ceremonies.signing import read_signature
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.models import Key

pytestmark = pytest.mark.django_db


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


@pytest.mark.req("K2")
@pytest.mark.req("K6")
def test_root_keys_are_generated_by_four_people_and_the_minutes_are_signed(office, machine):
    proposal = approved_generation(office, ("IRK", "RKSSSE"))
    ceremony = play(planned(office, "keys.generate", proposal))
    assert ceremony.state == "done"
    keys = {key.name: key for key in Key.objects.filter(organisation_id="000000")}
    assert {name: key.state for name, key in keys.items()} == {"IRK": "generated", "RKSSSE": "generated"}
    values = {row["name"]: row["check_value"] for row in ceremony.facts["values"]}
    assert values == {name: key.check_value for name, key in keys.items()}
    proposal.refresh_from_db()
    assert proposal.state == "done"
    made = issue_minutes(office.leader, number=ceremony.number)
    content = view_document(office.leader, made.pk, "归档").content
    signed = read_signature(content, "minutes.pdf")
    assert signed.public == machine_of("000000").public_key() and signed.about == ceremony.number
    text = text_of(content)
    for word in (ceremony.number, keys["IRK"].check_value, office.witness.name, "生成根密钥", "Generate root keys"):
        assert word in text, word


@pytest.mark.req("K3")
@pytest.mark.req("K6")
def test_a_key_is_joined_from_the_components_of_two_people(office, machine):
    proposal = approved_generation(office, ("IRK",))
    parts = {"custodian-1": bytes(range(16)), "custodian-2": bytes(range(100, 116))}
    ceremony = play(planned(office, "keys.components", proposal, scheme="xor"), components=dict(parts))
    joined = bytes(one ^ other for one, other in zip(*parts.values(), strict=True))
    expected = check_value(Algorithm.SM4, joined).hex().upper()
    assert ceremony.state == "done"
    assert Key.objects.get(name="IRK").check_value == expected == ceremony.facts["values"][0]["check_value"]
    acts = Act.objects.filter(ceremony=ceremony, evidence__has_key="part")
    shown = {act.seat.key: act.evidence["check_value"] for act in acts}
    assert shown == {seat: check_value(Algorithm.SM4, part).hex().upper() for seat, part in parts.items()}


def test_a_rehearsal_leaves_nothing_in_the_register_and_its_machine_ends(office, machine, node):
    for kind, asked in (("keys.generate", {}), ("keys.export", {}), ("keys.destroy", {}), ("keys.activate", {})):
        ceremony = play(planned(office, kind, **asked), pin="246810")
        assert (kind, ceremony.state, ceremony.rehearsal) == (kind, "done", True)
        assert ceremony.facts["values"][0]["check_value"]
    assert not Key.objects.exists() and machine_of("000000").list_keys() == []
