"""What the line to institutions asks of the machine (S4, K6): keys for lines, PINs, MAC1; by both drivers.

What is lost if this fails: a terminal that could not be given a key, a PIN that somebody reads, a card's key that goes
out to an institution.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sheka.equipment.encryption_machine.model import PinFinding, Usage
from sheka.equipment.encryption_machine.requests import session_input
from sheka.foundation.chip.authentication import Settlement
from sheka.foundation.crypto import ciphers
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.crypto.pin_block import account_digits, make_pin_block, open_pin_block
from sheka.foundation.refusals import Code, Refused

FIRST, SECOND = b"46010017", bytes.fromhex("8f1c55a90b7d2e64")
CARDS = [b"D2143569", b"P0000001"]
Plant = Callable[..., Any]


@pytest.mark.req("S4")
def test_a_key_of_a_line_goes_out_under_the_transport_key_and_serves(
    machine: Any, algorithm: Algorithm, plant: Plant
) -> None:
    transport = plant(machine, algorithm, Usage.WRAP, owner="460100")
    root = plant(machine, algorithm, Usage.LINE, diversified=True, owner="460100")
    wrapped = machine.wrap_for_line(root.ref, [FIRST, SECOND], transport.ref)
    keys = [ciphers.decrypt_ecb(algorithm, transport.key, each[:16]) for each in wrapped]
    assert keys == [diversify(algorithm, root.key, factor) for factor in (FIRST, SECOND)]
    assert [each[16:] for each in wrapped] == [check_value(algorithm, key) for key in keys]
    macs = [command_mac(algorithm, key, b"0200 a message") for key in keys]
    messages = [b"0200 a message"] * 3
    assert machine.verify_diversified_macs(root.ref, [FIRST, SECOND, FIRST], messages, [*macs, macs[1]]) == [
        True,
        True,
        False,
    ]
    assert machine.macs(root.ref, [FIRST, SECOND], messages[:2]) == macs


@pytest.mark.req("K6")
def test_no_key_of_a_card_goes_out_to_an_institution(machine: Any, working: Algorithm, plant: Plant) -> None:
    transport = plant(machine, working, Usage.WRAP, owner="460100")
    for usage in (Usage.MAC, Usage.AUTHENTICATE, Usage.PIN_VALUE, Usage.DIVERSIFY):
        with pytest.raises(Refused) as refusal:
            machine.wrap_for_line(
                plant(machine, working, usage, diversified=True, owner="460100").ref, [FIRST], transport.ref
            )
        assert refusal.value.code is Code.MACHINE_KEY_USAGE
    foreign = plant(machine, working, Usage.LINE, diversified=True, owner="460200")
    with pytest.raises(Refused) as refusal:
        machine.wrap_for_line(foreign.ref, [FIRST], transport.ref)
    assert refusal.value.code is Code.MACHINE_OWNER_DENIED
    line = plant(machine, working, Usage.LINE, diversified=True, owner="460100")
    with pytest.raises(Refused) as refusal:
        machine.wrap_diversified_raw(line.ref, FIRST, transport.ref)
    assert refusal.value.code is Code.MACHINE_KEY_USAGE


@pytest.mark.req("S4")
def test_a_pin_is_right_for_its_card_its_key_and_nothing_else(machine: Any, algorithm: Algorithm, plant: Plant) -> None:
    pins = plant(machine, algorithm, Usage.PIN, diversified=True)
    values = plant(machine, algorithm, Usage.PIN_VALUE, diversified=True)
    key = diversify(algorithm, pins.key, FIRST)
    accounts = [account_digits(card.decode() + "X") for card in CARDS]

    def block(pin: str, account: bytes) -> bytes:
        return make_pin_block(algorithm, key, pin, account)

    kept = machine.pin_values(
        pins.ref,
        [FIRST, FIRST],
        [block("314159", accounts[0]), block("314159", accounts[1])],
        accounts,
        values.ref,
        CARDS,
    )
    assert [len(value) for value in kept] == [4, 4]
    assert kept[0] != kept[1], "the same PIN of two cards shows in what is kept"
    tried = [
        (FIRST, block("314159", accounts[0]), 0, PinFinding.RIGHT),
        (FIRST, block("314158", accounts[0]), 0, PinFinding.WRONG),
        (FIRST, block("31415", accounts[0]), 0, PinFinding.WRONG),
        (FIRST, block("314159", accounts[1]), 1, PinFinding.RIGHT),
        (SECOND, block("314159", accounts[0]), 0, PinFinding.NO_BLOCK),
        (FIRST, bytes(8 if algorithm is Algorithm.TDES else 16), 0, PinFinding.NO_BLOCK),
    ]
    found = machine.verify_pins(
        pins.ref,
        [factor for factor, _, _, _ in tried],
        [each for _, each, _, _ in tried],
        [accounts[card] for _, _, card, _ in tried],
        values.ref,
        [CARDS[card] for _, _, card, _ in tried],
        [kept[card] for _, _, card, _ in tried],
    )
    assert found == [finding for _, _, _, finding in tried]
    assert machine.pin_values(pins.ref, [SECOND], [tried[0][1]], accounts[:1], values.ref, CARDS[:1]) == [b""]
    with pytest.raises(Refused) as refusal:
        machine.verify_pins(pins.ref, [FIRST], [tried[0][1]], accounts[:1], pins.ref, CARDS[:1], kept[:1])
    assert refusal.value.code is Code.MACHINE_KEY_USAGE
    assert machine.verify_pins(pins.ref, [], [], [], values.ref, [], []) == []


@pytest.mark.req("S4")
@pytest.mark.req("K6")
def test_a_pin_goes_to_another_machine_under_their_zone_key_alone(
    machine: Any, algorithm: Algorithm, plant: Plant
) -> None:
    pins = plant(machine, algorithm, Usage.PIN, diversified=True)
    zone = plant(machine, algorithm, Usage.PIN_ZONE, diversified=True)
    values = plant(machine, algorithm, Usage.PIN_VALUE, diversified=True)
    account = account_digits(CARDS[0].decode() + "X")
    block = make_pin_block(algorithm, diversify(algorithm, pins.key, FIRST), "314159", account)
    kept = machine.pin_values(pins.ref, [FIRST], [block], [account], values.ref, CARDS[:1])
    broken = bytes(len(block))
    sent, none = machine.translate_pins(pins.ref, [FIRST] * 2, [block, broken], [account] * 2, zone.ref, [SECOND] * 2)
    assert none == b""
    assert open_pin_block(algorithm, diversify(algorithm, zone.key, SECOND), sent, account) == b"314159"

    def judged(ref: str, factor: bytes) -> PinFinding:
        (found,) = machine.verify_pins(ref, [factor], [sent], [account], values.ref, CARDS[:1], kept)
        return found

    assert judged(zone.ref, SECOND) is PinFinding.RIGHT
    assert judged(zone.ref, FIRST) is PinFinding.NO_BLOCK
    assert judged(pins.ref, SECOND) is PinFinding.NO_BLOCK
    transport = plant(machine, algorithm, Usage.WRAP)
    for call in (
        lambda: machine.translate_pins(zone.ref, [SECOND], [sent], [account], zone.ref, [FIRST]),  # never further
        lambda: machine.translate_pins(pins.ref, [FIRST], [block], [account], pins.ref, [SECOND]),
        lambda: machine.pin_values(zone.ref, [SECOND], [sent], [account], values.ref, CARDS[:1]),
        lambda: machine.wrap_for_line(zone.ref, [SECOND], transport.ref),
    ):
        with pytest.raises(Refused) as refusal:
            call()
        assert refusal.value.code is Code.MACHINE_KEY_USAGE
    assert machine.translate_pins(pins.ref, [], [], [], zone.ref, []) == []


@pytest.mark.req("C1")
def test_mac1_is_told_from_a_forged_one(machine: Any, algorithm: Algorithm, plant: Plant) -> None:
    key = plant(machine, algorithm, Usage.MAC, diversified=True)
    deals = [Settlement((0, 100, amount), bytes(6), bytes(7)) for amount in (100, 99)]
    sessions = [session_input(b"rand", b"\0\1", b"\0\0\0\7")] * 2
    made = machine.mac1(key.ref, [FIRST, FIRST], sessions, deals)
    assert machine.verify_mac1(
        key.ref, [FIRST, FIRST, SECOND], [*sessions, sessions[0]], [*deals, deals[0]], [made[0], made[0], made[0]]
    ) == [True, False, False]
