"""Every usage with every verb, allowed and denied, by both drivers: a key does only what it was made for (K6, C1).

What is lost if this fails: a verb that answers ECB under a key from which others are derived gives those keys away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.equipment.encryption_machine.rights import ALWAYS_DIVERSIFIED, VERB_USAGES
from sheka.foundation.chip.authentication import Settlement
from sheka.foundation.crypto import sm2
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

EIGHT = b"46010017"
SESSION = [EIGHT]
DEAL = [Settlement((0, 1, 1), bytes(6), bytes(7))]

ACCOUNT = [b"023155029233"]

Call = Callable[[EncryptionMachine, str, str], Any]


def block(machine: EncryptionMachine, ref: str) -> bytes:
    """Something as long as a PIN block of the key."""
    return bytes(8 if machine.key(ref).algorithm is Algorithm.TDES else 16)


def second_key(machine: EncryptionMachine, usage: Usage) -> str:
    """The second key of the verbs about PINs."""
    for known in machine.list_keys():
        if known.usage is usage and known.name == f"{usage} of the matrix":
            return known.ref
    algorithm = Algorithm[machine.describe().algorithms[-1]]
    return machine.generate(f"{usage} of the matrix", algorithm, usage).ref


THROUGH_FACTOR: dict[Verb, Call] = {
    Verb.DERIVE: lambda machine, ref, kek: machine.derive(ref, EIGHT, owner="x"),
    Verb.CHECK_VALUES: lambda machine, ref, kek: machine.check_values(ref, [EIGHT]),
    Verb.CRYPTOGRAMS: lambda machine, ref, kek: machine.cryptograms(ref, [EIGHT], [bytes(16)]),
    Verb.INTERNAL_AUTHENTICATION: lambda machine, ref, kek: machine.internal_authentication(ref, [EIGHT], [EIGHT]),
    Verb.EXTERNAL_AUTHENTICATION: lambda machine, ref, kek: machine.external_authentication(ref, [EIGHT], [EIGHT]),
    Verb.CARD_AUTHENTICATION_CODES: lambda machine, ref, kek: machine.card_authentication_codes(
        ref, [EIGHT], [bytes(12)]
    ),
    Verb.MACS: lambda machine, ref, kek: machine.macs(ref, [EIGHT], [b"m"]),
    Verb.VERIFY_DIVERSIFIED_MACS: lambda machine, ref, kek: machine.verify_diversified_macs(
        ref, [EIGHT], [b"m"], [bytes(4)]
    ),
    Verb.WRAP_FOR_CHIPS: lambda machine, ref, kek: machine.wrap_for_chips([ref], [EIGHT], kek, [EIGHT]),
    Verb.WRAP_FOR_CHIP: lambda machine, ref, kek: machine.wrap_for_chip([ref], [1], [1], EIGHT, kek, EIGHT, EIGHT),
    Verb.WRAP_DIVERSIFIED: lambda machine, ref, kek: machine.wrap_diversified_raw(ref, EIGHT, kek),
    Verb.VERIFY_TACS: lambda machine, ref, kek: machine.verify_tacs(ref, [EIGHT], DEAL, [bytes(4)], [bytes(4)]),
    Verb.MAC1: lambda machine, ref, kek: machine.mac1(ref, [EIGHT], SESSION, DEAL),
    Verb.VERIFY_MAC2: lambda machine, ref, kek: machine.verify_mac2(ref, [EIGHT], SESSION, DEAL, [bytes(4)]),
    Verb.VERIFY_MAC1: lambda machine, ref, kek: machine.verify_mac1(ref, [EIGHT], SESSION, DEAL, [bytes(4)]),
    Verb.WRAP_FOR_LINE: lambda machine, ref, kek: machine.wrap_for_line(ref, [EIGHT], kek),
    Verb.PIN_VALUES: lambda machine, ref, kek: machine.pin_values(
        ref, [EIGHT], [block(machine, ref)], ACCOUNT, second_key(machine, Usage.PIN_VALUE), [EIGHT]
    ),
    Verb.TRANSLATE_PINS: lambda machine, ref, kek: machine.translate_pins(
        ref, [EIGHT], [block(machine, ref)], ACCOUNT, second_key(machine, Usage.PIN_ZONE), [EIGHT]
    ),
    Verb.VERIFY_PINS: lambda machine, ref, kek: machine.verify_pins(
        ref, [EIGHT], [block(machine, ref)], ACCOUNT, second_key(machine, Usage.PIN_VALUE), [EIGHT], [bytes(4)]
    ),
}
AS_IT_IS: dict[Verb, Call] = {
    Verb.CRYPTOGRAMS: lambda machine, ref, kek: machine.cryptograms(ref, None, [bytes(16)]),
    Verb.MACS: lambda machine, ref, kek: machine.macs(ref, None, [b"m"]),
    Verb.MACS_OF: lambda machine, ref, kek: machine.macs_of([(ref, b"m")]),
    Verb.VERIFY_MACS: lambda machine, ref, kek: machine.verify_macs([(ref, b"m", bytes(4))]),
    Verb.VERIFY_DIVERSIFIED_MACS: lambda machine, ref, kek: machine.verify_diversified_macs(
        ref, None, [b"m"], [bytes(4)]
    ),
}
MOVING = {Verb.DESTROY, Verb.EXPORT_ENVELOPE}


def outcome(call: Call, machine: EncryptionMachine, ref: str, kek: str) -> Code | None:
    try:
        call(machine, ref, kek)
    except Refused as refusal:
        return refusal.code
    return None


@pytest.fixture(scope="module", params=["unix_process", "pkcs11_process"])
def driver(request: pytest.FixtureRequest) -> Iterator[EncryptionMachine]:
    """A software machine and one over a token."""
    with request.getfixturevalue(request.param).client("tester") as client:
        yield client


@pytest.fixture(scope="module")
def algorithm(driver: EncryptionMachine) -> Algorithm:
    """SM4 where the machine has it."""
    return Algorithm[driver.describe().algorithms[-1]]


@pytest.fixture(scope="module")
def keys(driver: EncryptionMachine, plant: Any, algorithm: Algorithm) -> dict[tuple[Usage, bool], str]:
    """A key of every usage and way, taken in from elsewhere."""
    return {
        (usage, diversified): plant(driver, algorithm, usage, diversified=diversified).ref
        for usage in Usage
        for diversified in (True, False)
        if diversified or usage not in ALWAYS_DIVERSIFIED
    }


def test_the_matrix_names_every_verb_that_takes_a_key() -> None:
    assert set(THROUGH_FACTOR) | set(AS_IT_IS) | MOVING == set(VERB_USAGES)


@pytest.mark.req("K6")
@pytest.mark.parametrize("usage", list(Usage))
@pytest.mark.parametrize("verb", list(THROUGH_FACTOR), ids=lambda verb: verb.name)
def test_through_a_factor(
    driver: EncryptionMachine, keys: dict[tuple[Usage, bool], str], verb: Verb, usage: Usage
) -> None:
    kek = keys[Usage.WRAP, False]
    found = outcome(THROUGH_FACTOR[verb], driver, keys[usage, True], kek)
    assert found == (None if usage in VERB_USAGES[verb] else Code.MACHINE_KEY_USAGE)
    if usage in (Usage.MAC, Usage.ENCRYPT):
        found = outcome(THROUGH_FACTOR[verb], driver, keys[usage, False], kek)
        expected = Code.MACHINE_KEY_TAKES_NO_FACTOR if usage in VERB_USAGES[verb] else Code.MACHINE_KEY_USAGE
        assert found == expected


@pytest.mark.req("K6")
@pytest.mark.parametrize("usage", list(Usage))
@pytest.mark.parametrize("verb", list(AS_IT_IS), ids=lambda verb: verb.name)
def test_as_it_is(driver: EncryptionMachine, keys: dict[tuple[Usage, bool], str], verb: Verb, usage: Usage) -> None:
    allowed = usage in VERB_USAGES[verb]
    found = outcome(AS_IT_IS[verb], driver, keys[usage, True], "")
    assert found == (Code.MACHINE_KEY_NEEDS_FACTOR if allowed else Code.MACHINE_KEY_USAGE)
    if (usage, False) in keys:
        found = outcome(AS_IT_IS[verb], driver, keys[usage, False], "")
        assert found == (None if allowed else Code.MACHINE_KEY_USAGE)


@pytest.mark.req("K6")
@pytest.mark.parametrize("usage", list(Usage))
@pytest.mark.parametrize("verb", [Verb.WRAP_FOR_CHIPS, Verb.WRAP_FOR_CHIP, Verb.WRAP_DIVERSIFIED])
def test_only_a_transport_key_wraps(
    driver: EncryptionMachine, keys: dict[tuple[Usage, bool], str], verb: Verb, usage: Usage
) -> None:
    found = outcome(THROUGH_FACTOR[verb], driver, keys[Usage.AUTHENTICATE, True], keys[usage, True])
    assert found == (None if usage is Usage.WRAP else Code.MACHINE_KEY_USAGE)


@pytest.mark.req("K6")
@pytest.mark.parametrize("usage", list(Usage))
def test_every_usage_can_be_destroyed_and_sent_to_a_peer(
    driver: EncryptionMachine, plant: Any, algorithm: Algorithm, usage: Usage
) -> None:
    known = plant(driver, algorithm, usage)
    peer = sm2.public_of(sm2.generate_private())
    driver.register_peer(f"peer of {known.info.name}", peer)
    assert driver.export_envelope(known.ref, peer)
    assert driver.destroy(known.ref).usage is usage


@pytest.mark.req("K2")
def test_a_root_made_here_goes_neither_to_a_peer_nor_into_a_chip(
    driver: EncryptionMachine, plant: Any, algorithm: Algorithm, name: str
) -> None:
    root = driver.generate(name, algorithm, Usage.DIVERSIFY)
    transport = plant(driver, algorithm, Usage.WRAP)
    peer = sm2.public_of(sm2.generate_private())
    driver.register_peer(name, peer)
    with pytest.raises(Refused) as sent:
        driver.export_envelope(root.ref, peer)
    with pytest.raises(Refused) as written:
        driver.wrap_for_chip([root.ref], [1], [1], b"", transport.ref, b"", EIGHT)
    assert sent.value.code is written.value.code is Code.MACHINE_KEY_STAYS
    child = driver.derive(root.ref, EIGHT, owner="460100")
    assert driver.export_envelope(child.ref, peer)


@pytest.mark.req("K6")
def test_one_sub_key_never_gets_two_uses(driver: EncryptionMachine, plant: Any, algorithm: Algorithm) -> None:
    """Else: derive it once for ENCRYPT, ask for the cryptogram of a factor, and hold the key of the level below."""
    root = plant(driver, algorithm, Usage.DIVERSIFY)
    first = driver.derive(root.ref, EIGHT, owner="a", usage=Usage.DIVERSIFY)
    for usage in (Usage.ENCRYPT, Usage.MAC, Usage.AUTHENTICATE, Usage.WRAP):
        with pytest.raises(Refused) as refusal:
            driver.derive(root.ref, EIGHT, owner="b", usage=usage)
        assert refusal.value.code is Code.MACHINE_KEY_PURPOSE_FIXED
        assert refusal.value.facts["ref"] == first.ref
    direct = driver.derive(root.ref, b"46020017", owner="c", usage=Usage.MAC, diversified=False)
    assert not direct.diversified
    with pytest.raises(Refused) as refusal:
        driver.derive(root.ref, b"46020017", owner="d", usage=Usage.MAC)
    assert refusal.value.code is Code.MACHINE_KEY_PURPOSE_FIXED
    driver.destroy(first.ref)
    with pytest.raises(Refused) as refusal:
        driver.derive(root.ref, EIGHT, owner="e", usage=Usage.ENCRYPT)
    assert refusal.value.code is Code.MACHINE_KEY_PURPOSE_FIXED
    assert driver.derive(root.ref, EIGHT, owner="f").check_value == first.check_value


@pytest.mark.parametrize("usage", sorted(ALWAYS_DIVERSIFIED))
def test_keys_of_levels_and_cards_work_through_factors_whatever_was_asked(
    driver: EncryptionMachine, plant: Any, name: str, usage: Usage
) -> None:
    root = plant(driver, Algorithm.TDES, Usage.DIVERSIFY)
    assert driver.generate(name, Algorithm.TDES, usage, diversified=False).diversified
    assert driver.derive(root.ref, EIGHT, owner="x", usage=usage, diversified=False).diversified
    assert plant(driver, Algorithm.TDES, usage, diversified=False).info.diversified
