"""No key in the memory or a core dump of a running web process and switch (K2, K6, H5).

Keys whose value the test knows reach Haikou's machine as in life, in envelopes of another machine: the key of the line
to a hospital, and the key by which cards prove themselves. Purchases go through the real switch, answers of a card are
checked by the real web process with all its workers; then both are searched. The search is proved by the secret with
which each shows itself to the machine, which it has to hold.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import subprocess
import time

import pytest
from django.conf import settings
from django.utils import timezone
from tests.support.api import BASE, partner_of
from tests.support.memory import dump, family, found_in, memory, needles
from tests.support.payments import CITY, HOSPITAL

from sheka.equipment.encryption_machine.envelopes import seal_envelope
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.faces.cli import node_processes
from sheka.foundation.chip.authentication import card_authentication_code, internal_response
from sheka.foundation.crypto import sm2
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.diversify import diversify, session_key
from sheka.foundation.numbers import CardIdentificationCode
from sheka.foundation.refusals import Code
from sheka.systems.cards.models import Card
from sheka.systems.keys.models import Key
from sheka.systems.transactions.models import Institution
from sheka.systems.transactions.terminal import Terminal

pytestmark = [pytest.mark.django_db(transaction=True), *(pytest.mark.req(row) for row in ("K2", "K6", "H5"))]
SM4 = Algorithm.SM4
HISTORICAL = bytes.fromhex("00814A46868660460100000135")
CARD_FACTOR, SERIAL, PROCESS_FACTOR = HISTORICAL[-8:], 135, b"process1"


@pytest.fixture
def planted(bank, haikou_machine):
    """The two keys in the machine and in the registers: name → value."""
    maker, keys = sm2.generate_private(), {name: secrets.token_bytes(16) for name in ("line", "IRK")}
    haikou_machine.register_peer("maker", sm2.public_of(maker))
    made = {}
    for (name, key), usage in zip(keys.items(), (Usage.MAC, Usage.AUTHENTICATE), strict=True):
        envelope = seal_envelope(maker, haikou_machine.public_key(), key, KeyInfo("", name, SM4, usage, 1, CITY, ""))
        made[name] = haikou_machine.import_envelope(envelope, sm2.public_of(maker))
    Institution.objects.filter(code=HOSPITAL).update(mac_key=made["line"].ref)
    bank.mac_key = made["line"].ref
    Key.objects.create(
        organisation_id=CITY,
        name="IRK",
        algorithm=int(SM4),
        version=1,
        usage=str(Usage.AUTHENTICATE),
        owner_level="ministry",
        reference=made["IRK"].ref,
        check_value=made["IRK"].check_value,
        origin="imported",
        state="active",
        since=timezone.now(),
    )
    return keys


@pytest.fixture
def web(bank):
    """The console and the API on the database of this test: the real process, its master's number."""
    spec = node_processes.web(settings.NODE)
    with (settings.NODE.folder / "web.log").open("wb") as log:
        process = subprocess.Popen(spec.argv, env={**os.environ, **spec.env}, stdout=log, stderr=log)
    deadline = time.monotonic() + 60
    while not spec.ready():
        assert process.poll() is None and time.monotonic() < deadline, log.name
        time.sleep(0.1)
    yield process.pid
    process.terminate()
    process.wait(timeout=20)


def asked(token, path, body):
    """What the web process answers to a question of a partner."""
    line = http.client.HTTPConnection(settings.NODE.web.host, settings.NODE.web.port, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept-Language": "en"}
    line.request("POST", BASE + path, json.dumps(body), headers)
    answer = line.getresponse()
    content = answer.read().decode()
    line.close()
    assert answer.status == 200, content
    return json.loads(content)


def checked_by(token, card, card_key):
    """The verdict on a card with this key, read by a reader elsewhere with a challenge of its own."""
    signed = CardIdentificationCode.part_to_sign(CITY, SERIAL)
    code = CardIdentificationCode.make(CITY, SERIAL, card_authentication_code(SM4, card_key, signed)).text
    Card.objects.filter(pk=card.pk).update(identification_code=code)
    challenge = secrets.token_bytes(8)
    facts = {"historical_bytes": HISTORICAL, "process_factor": PROCESS_FACTOR, "challenge": challenge}
    facts["response"] = internal_response(SM4, card_key, PROCESS_FACTOR, challenge)
    named = {"identification_code": code, "algorithm": SM4.name, "key_version": 1}
    return asked(token, "/cards/check", named | {name: value.hex() for name, value in facts.items()})


def test_web_and_switch_work_with_keys_that_they_never_hold(planted, bank, switch, web, installer, tmp_path):
    def wrong_when_asking(message):
        return bytes(4) if message.startswith(b"0200") else bank.mac(message)

    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac) as terminal:
        assert all(terminal.purchase(card.number, 100).approved for card in bank.cards * 5)
    with Terminal(switch.host, switch.port, "460100000002", HOSPITAL, wrong_when_asking) as strange:
        assert strange.purchase(bank.cards[0].number, 100).refusal == Code.MESSAGE_MAC_INVALID.value
    card_key = diversify(SM4, planted["IRK"], CARD_FACTOR)
    partner = partner_of(installer, CITY)
    for _ in range(20):
        verdict = checked_by(partner.token, bank.cards[0], card_key)
        assert verdict["passed"], verdict
    kept = [*planted.values(), card_key, session_key(SM4, card_key, PROCESS_FACTOR)]
    values = [value for key in kept for value in needles(key)]
    name = settings.NODE.machine(CITY).name
    for pids, caller in ((family(web), "systems"), ([switch.process.pid], "switch")):
        known = settings.NODE.machine_secret(name, caller)
        wanted = [*values, known]
        assert found_in((chunk for pid in pids for chunk in memory(pid)), wanted) == {known}, caller
        dumped = [content for pid in pids for content in dump(pid, tmp_path)]
        if dumped:
            assert found_in(dumped, wanted) == {known}, caller
    bank.assert_ledger_holds()
