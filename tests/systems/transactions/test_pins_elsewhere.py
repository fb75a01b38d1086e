"""The PIN of a card of another city, typed here (S4, K6): judged in the machine of the card's city, or refused.

What is lost if this fails: a patient away from home cannot pay, or a PIN is believed that no machine has verified.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from tests.support.lines import plant, transport
from tests.support.payments import HOSPITAL, SwitchProcess

from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.server.files import make_socket_folder
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.crypto.pin_block import account_digits, make_pin_block
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.staff.actors import Actor
from sheka.systems.cards.models import Card
from sheka.systems.keys.machines import close_machines, machine_of
from sheka.systems.transactions import jobs
from sheka.systems.transactions.actions.keep_line import line_root, set_profile
from sheka.systems.transactions.actions.share_pin_zone import share_pin_zone, zones_wanted
from sheka.systems.transactions.line_client import PIN_FIELDS
from sheka.systems.transactions.line_models import CardPin, LinePurpose, PinZone
from sheka.systems.transactions.terminal import Terminal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]
HERE, ELSEWHERE, AWAY, FIRST = "460100", "460000", "460200", "460100000001"
PIN, WRONG = "739184620517", "739184620518"


@pytest.fixture(scope="module")
def other_machine(haikou_machine) -> Iterator[object]:
    """The machine of another organisation of this node."""
    node = settings.NODE
    name = node.machine(ELSEWHERE).name
    folder = Path(tempfile.mkdtemp(prefix="sheka-other-"))
    make_socket_folder(node.sockets)
    handle = start_machine(folder, callers=node.machine_callers(name), address=node.machine_address(name))
    yield handle
    close_machines()
    handle.stop()
    shutil.rmtree(folder)


class Counter:
    """A terminal of Haikou whose PIN pad takes PINs of any card."""

    def __init__(self, switch: SwitchProcess, bank, algorithm: Algorithm) -> None:
        self._algorithm, self._keys = algorithm, transport(bank.actor, algorithm)
        self.terminal = Terminal(switch.host, switch.port, FIRST, HOSPITAL, bank.mac)
        for _ in range(100):
            try:
                self._keys.take_pin_key(self.terminal.key_exchange("1"))
                return
            except Refused:  # the registry does not know the transport key yet
                continue
        raise AssertionError("no PIN key was given out")

    def pay(self, card: str, pin: str):
        purchase = self.terminal.new_purchase(card, 1)
        block = self._keys.pin_block(pin, card)
        return self.terminal.send_purchase(replace(purchase, pin=(PIN_FIELDS[self._algorithm], block)))


def _set_elsewhere(card: Card, organisation: str) -> None:
    """The card's city keeps its PIN: typed at a pad there, whose key only that city's machine holds."""
    Card.objects.filter(pk=card.pk).update(organisation=organisation)
    machine, factor, key = machine_of(ELSEWHERE), secrets.token_bytes(8), secrets.token_bytes(16)
    pad = plant(Usage.PIN, Algorithm.SM4, key, diversified=True, owner=ELSEWHERE, at=ELSEWHERE)
    values = line_root(ELSEWHERE, LinePurpose.PIN_VALUE, Algorithm.SM4)
    account = account_digits(card.number)
    block = make_pin_block(Algorithm.SM4, diversify(Algorithm.SM4, key, factor), PIN, account)
    (value,) = machine.pin_values(pad, [factor], [block], [account], values.reference, [card.number[:8].encode()])
    CardPin.objects.create(
        card_number=card.number,
        organisation_id=organisation,
        root=values,
        value=value.hex().upper(),
        set_at=timezone.now(),
        by="test",
    )


@pytest.mark.req("K6")
@pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda one: one.name)
def test_the_machine_of_the_cards_city_judges_and_its_own_three_tries_count(switch, bank, other_machine, algorithm):
    if algorithm is Algorithm.TDES:
        bank.mac_key = set_profile(bank.actor, code=HOSPITAL, profile="3des").mac_key
    counter, card = Counter(switch, bank, algorithm), bank.cards[0]
    _set_elsewhere(card, ELSEWHERE)
    before = counter.pay(card.number, PIN)
    assert (before.response_code, before.refusal) == ("99", Code.PIN_BLOCK_INVALID.value), "no key between the machines"
    assert CardPin.objects.get().tries == 0, "what nobody judged was held against the card"
    assert zones_wanted() == [(HERE, ELSEWHERE)]
    jobs.pin_zones()
    jobs.pin_zones()
    zone = PinZone.objects.get()
    assert Event.objects.filter(event="line.pin_zone").count() == 1, "what is there is not made again"
    held = {
        machine_of(code).key(ref).usage
        for code, ref in ((HERE, zone.acquirer_reference), (ELSEWHERE, zone.issuer_reference))
    }
    assert held == {Usage.PIN_ZONE}

    assert counter.pay(card.number, PIN).approved
    assert [counter.pay(card.number, WRONG).refusal for _ in range(4)] == [Code.PIN_WRONG.value] * 3 + [
        Code.PIN_BLOCKED.value
    ]
    assert counter.pay(card.number, PIN).refusal == Code.PIN_BLOCKED.value
    counter.terminal.close()
    bank.assert_ledger_holds()


def test_a_city_whose_machine_is_silent_or_elsewhere_pays_nothing(switch, bank, other_machine):
    counter, card, away = Counter(switch, bank, Algorithm.SM4), bank.cards[0], bank.cards[1]
    _set_elsewhere(card, ELSEWHERE)
    share_pin_zone(_node(), acquirer=HERE, issuer=ELSEWHERE)
    _set_elsewhere(away, AWAY)  # Sanya's machine is of another node
    refused = counter.pay(away.number, PIN)
    assert (refused.response_code, refused.refusal) == ("99", Code.PIN_BLOCK_INVALID.value)
    assert zones_wanted() == []
    with pytest.raises(Refused) as error:
        share_pin_zone(bank.actor, acquirer=HERE, issuer=ELSEWHERE)
    assert error.value.code is Code.ORGANISATION_OUT_OF_REACH, "a city gives itself no key of another's machine"
    assert counter.pay(card.number, PIN).approved
    close_machines()
    other_machine.stop()
    silent = counter.pay(card.number, PIN)
    assert (silent.response_code, silent.refusal) == ("91", Code.PROOF_NOT_KNOWN.value)
    assert CardPin.objects.get(card_number=card.number).tries == 0
    assert bank.balance(0) == 100_000 - 1
    assert bank.balance(1) == 100_000
    counter.terminal.close()
    bank.assert_ledger_holds()


def _node() -> Actor:
    return Actor.process("line", settings.NODE.organisations[0])
