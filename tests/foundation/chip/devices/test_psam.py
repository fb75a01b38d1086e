"""The PSAM does what its keys are for, and nothing that would give a key or an answer away (K8, H4)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sheka.foundation.chip.authentication import (
    Settlement,
    external_cryptogram,
    internal_response,
    purchase_mac1,
    purchase_mac2,
    purchase_session_key,
)
from sheka.foundation.chip.devices.profile import Level
from sheka.foundation.chip.storage import CardStorage, MemoryStorage
from sheka.foundation.crypto.algorithms import Algorithm, block_bytes
from sheka.foundation.crypto.ciphers import encrypt_ecb
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.refusals import Code, Refused

PROVINCE, CITY, CARD = (bytes.fromhex(text) for text in ("4600000000000000", "4601000000000000", "8660460100000135"))
FACTORS = [PROVINCE, CITY, CARD]
TIME, TERMINAL = bytes.fromhex("20261122093000"), bytes.fromhex("460100000001")
EXTERNAL, INTERNAL, MAC, ENCRYPT = 0x10, 0x11, 0x05, 0x00


def along(algorithm, key, factors):
    for factor in factors:
        key = diversify(algorithm, key, factor)
    return key


def test_it_says_what_it_is_and_what_it_holds(psam, algorithm):
    assert psam.raw("00B095000A").data == psam.profile.serial(1)
    assert psam.raw("00B0960006").data == b"\xff" * 6
    assert psam.sw("00B0970006") == "6A82"
    assert psam.sw("00B0950B01") == "6B00"
    assert psam.sw("00B09500FF") == "6C0A"
    assert psam.raw("00A4040009D1560000055053414D00").data.hex() == "6f138409d1560000055053414da50650047073616d"
    assert [psam.sw(apdu) for apdu in ("00A40000023F00", "00A4000002DF01", "00A40400")] == ["6115", "6A82", "6A82"]
    value = psam.load("RK1DF01", Level.CITY, algorithm)
    psam.bind()
    assert psam.raw("00B0960006").data == TERMINAL
    state, keys = psam.ask("get_data", p1=1, p2=2, le=256).data, psam.ask("get_data", p1=1, p2=3, le=256).data
    assert state == b"\x01" + bytes(4) + b"\x01"
    known = check_value(algorithm, value).ljust(4, b"\0")
    assert keys == bytes((0x1C, 1, algorithm, Level.CITY, 3)) + known
    assert psam.status("get_data", p1=1, p2=4) == "6A88"


@pytest.mark.req("K8", "H4")
@pytest.mark.parametrize("level", list(Level))
def test_a_key_needs_exactly_the_factors_that_lead_from_its_level_to_the_card(psam, algorithm, level):
    root = psam.load("RK1DF01", level, algorithm)
    for count in range(5):
        factors = (FACTORS * 2)[-count:] if count else []
        status = psam.deliver("RK1DF01", factors, algorithm)
        assert status == ("9000" if count == level else "6A80"), count
    assert psam.status("delivery_key", b"".join(FACTORS)[1:], 0x1C, algorithm << 4) == "6A80"
    psam.deliver("RK1DF01", FACTORS[-level:], algorithm)
    found = psam.ask("cipher_data", bytes(range(16)), EXTERNAL).data
    card_key = along(algorithm, root, FACTORS[-level:])
    assert found == external_cryptogram(algorithm, card_key, bytes(range(8)), bytes(range(8, 16)))


@pytest.mark.req("K8")
def test_a_key_does_what_its_purpose_says_and_nothing_else(psam, algorithm):
    block = block_bytes(algorithm)
    sizes = {EXTERNAL: 16, INTERNAL: 24, MAC: block + 5, ENCRYPT: block}
    allowed = {"RK1DF01": {EXTERNAL}, "UK1DF01": {EXTERNAL, MAC}, "IRK": {INTERNAL}, "STK": {MAC}}
    allowed |= {"PUK": {EXTERNAL, ENCRYPT}, "DPK": set(), "LK": {EXTERNAL}}
    for name, modes in allowed.items():
        key = along(algorithm, psam.load(name, Level.CITY, algorithm), [CARD])
        for mode, size in sizes.items():
            assert psam.deliver(name, [CARD], algorithm) == "9000"
            answer = psam.ask("cipher_data", bytes(size), mode)
            if mode not in modes:
                assert (answer.data, f"{answer.status:04X}") == (b"", "6985"), (name, mode)
            elif mode == MAC:
                assert answer.data == command_mac(algorithm, key, bytes(5), bytes(block))
            elif mode == ENCRYPT:
                assert answer.data == encrypt_ecb(algorithm, key, bytes(block))


@pytest.mark.req("C1", "K8")
def test_an_internal_authentication_is_compared_inside_and_its_answer_never_told(psam, algorithm):
    key = along(algorithm, psam.load("IRK", Level.PROVINCE, algorithm), [CITY, CARD])
    source = bytes(range(8))
    right = internal_response(algorithm, key, CARD, source)
    for answer, status in ((right, "9000"), (bytes(8), "6300")):
        psam.deliver("IRK", [CITY, CARD], algorithm)
        told = psam.ask("cipher_data", CARD + source + answer, INTERNAL)
        assert (told.data, f"{told.status:04X}") == (b"", status)


def test_a_delivered_key_serves_once_and_dies_with_the_power(psam, algorithm):
    psam.load("RK1DF01", Level.CITY, algorithm)
    assert psam.status("cipher_data", bytes(16), EXTERNAL) == "6985"
    psam.deliver("RK1DF01", [CARD], algorithm)
    assert psam.status("cipher_data", bytes(16), EXTERNAL) == "9000"
    assert psam.status("cipher_data", bytes(16), EXTERNAL) == "6985"
    psam.deliver("RK1DF01", [CARD], algorithm)
    psam.chip.power_on()
    assert psam.status("cipher_data", bytes(16), EXTERNAL) == "6985"
    for wrong, mode, status in ((bytes(15), EXTERNAL, "6700"), (bytes(16), 0x77, "6A86")):
        psam.deliver("RK1DF01", [CARD], algorithm)
        assert psam.status("cipher_data", wrong, mode) == status


def test_the_newest_version_is_meant_unless_one_is_named(psam, algorithm):
    psam.load("RK1DF01", Level.CITY, algorithm, 1)
    newest = along(algorithm, psam.load("RK1DF01", Level.CITY, algorithm, 2), [CARD])
    psam.deliver("RK1DF01", [CARD], algorithm)
    assert psam.ask("cipher_data", bytes(16), EXTERNAL).data == external_cryptogram(algorithm, newest, bytes(8))
    assert psam.deliver("RK1DF01", [CARD], algorithm, 1) == "9000"
    assert psam.deliver("RK1DF01", [CARD], algorithm, 3) == "6A88"
    other = next(each for each in Algorithm if each is not algorithm)
    assert psam.deliver("RK1DF01", [CARD], other) == "6A88"
    assert psam.status("delivery_key", CARD, 0xEE, algorithm << 4) == "6A88"


@pytest.mark.req("K8")
def test_nothing_is_loaded_without_the_transport_key_and_a_recorded_key_is_worth_nothing(psam, algorithm):
    data = psam.wrapped("RK1DF01", Level.CITY, 1, algorithm, bytes(8))
    for name, given in (("write_key", data), ("set_terminal", TERMINAL), ("erase", b""), ("remove_key", b"\x1c\x01")):
        assert psam.status(name, given) == "6982"
    _, challenge = psam.open_loading(algorithm)
    recorded = psam.wrapped("RK1DF01", Level.CITY, 1, algorithm, challenge)
    assert psam.status("write_key", recorded) == "9000"
    psam.open_loading(algorithm)
    assert psam.status("write_key", recorded) == "9302"
    changed = bytes([recorded[0], recorded[1] ^ 0x30]) + recorded[2:]
    assert psam.status("write_key", changed) == "9302", "the level is under the MAC"
    assert psam.status("write_key", recorded[:-1]) == "6700"


def test_what_a_psam_may_not_hold_is_not_written(psam, algorithm):
    _, challenge = psam.open_loading(algorithm)
    from sheka.foundation.chip.authentication import wrap_key_for_chip

    kt = psam.transport[algorithm]
    for key_id, version, status in (
        (0xEE, 0x11, "6A88"),
        (0x1C, 0x01, "6A80"),
        (0x1C, 0x41, "6A80"),
        (0x1C, 0x14, "6A80"),
    ):
        data = wrap_key_for_chip(algorithm, kt, challenge, key_id, version, bytes(16))
        assert psam.status("write_key", data) == status
    assert psam.status("set_terminal", bytes(5)) == "6700"
    assert psam.status("set_terminal", b"\xaa" * 6) == "6A80"
    assert psam.status("erase", b"", 1) == "6A86"
    assert psam.status("remove_key", b"\x1c\x01") == "6A88"
    assert psam.status("remove_key", b"\x1c\x00") == "6A88"


@pytest.mark.req("K8")
def test_wrong_transport_keys_lock_the_loading_for_good(psam, algorithm):
    for left in (4, 3, 2, 1, 0):
        assert psam.open_loading(algorithm, bytes(16))[0] == f"63C{left}"
    assert psam.open_loading(algorithm)[0] == "6983"
    psam.chip.power_on()
    assert psam.open_loading(algorithm)[0] == "6983"
    assert psam.sw("0082005510" + "00" * 16) == "6A88"


@pytest.mark.req("K8")
def test_returned_psams_are_emptied_and_the_counter_stays(psam, algorithm):
    psam.load("RK1DF01", Level.CITY, algorithm)
    psam.load("DPK", Level.CITY, algorithm)
    psam.bind()
    assert psam.status("init_sam_for_purchase", purchase(algorithm)) in ("9000", "6108")
    psam.open_loading(algorithm)
    assert psam.status("remove_key", b"\x1c\x01") == "9000"
    assert psam.deliver("RK1DF01", [CARD], algorithm) == "6A88"
    psam.open_loading(algorithm)
    assert psam.status("erase") == "9000"
    assert psam.ask("get_data", p1=1, p2=2, le=256).data == b"\x00" + (1).to_bytes(4, "big") + b"\x00"


def purchase(algorithm, *, amounts=(0, 1250, 1000), kind=b"2", time=TIME, version=1, factors=(CARD,)):
    money = b"".join(amount.to_bytes(4, "big") for amount in amounts)
    return b"\1\2\3\4" + b"\0\7" + money + kind + time + bytes((version, algorithm)) + b"".join(factors)


def sale(psam, algorithm):
    """(answer, session key, settlement) of an INIT SAM FOR PURCHASE with the sample amounts."""
    answer = psam.ask("init_sam_for_purchase", purchase(algorithm), le=256)
    key = along(algorithm, psam.load_value, [CARD])
    sespk = purchase_session_key(algorithm, key, b"\1\2\3\4", b"\0\7", answer.data[:4])
    return answer, sespk, Settlement((0, 1250, 1000), TERMINAL, TIME)


@pytest.fixture
def selling(psam, algorithm):
    """A PSAM that is ready for purchases."""
    psam.load_value = psam.load("DPK", Level.CITY, algorithm)
    psam.bind()
    return psam


@pytest.mark.req("K8", "H4")
def test_a_purchase_counts_and_signs_and_checks_the_cards_proof(selling, algorithm):
    for counter in (1, 2):
        answer, sespk, settlement = sale(selling, algorithm)
        assert answer.data == counter.to_bytes(4, "big") + purchase_mac1(algorithm, sespk, settlement)
        mac2 = purchase_mac2(algorithm, sespk, settlement)
        assert selling.status("credit_sam_for_purchase", mac2) == "9000"
        assert selling.status("credit_sam_for_purchase", mac2) == "6985"


@pytest.mark.req("K8")
def test_wrong_proofs_lock_the_purchase_for_good(selling, algorithm):
    for status in ("9302", "9302", "9303"):
        sale(selling, algorithm)
        assert selling.status("credit_sam_for_purchase", bytes(4)) == status
    selling.chip.power_on()
    assert selling.status("init_sam_for_purchase", purchase(algorithm)) == "9303"
    assert selling.deliver("DPK", [CARD], algorithm) == "9303"


def test_a_right_proof_gives_the_tries_back(selling, algorithm):
    for _ in range(3):
        for _ in range(2):
            sale(selling, algorithm)
            assert selling.status("credit_sam_for_purchase", bytes(4)) == "9302"
        _, sespk, settlement = sale(selling, algorithm)
        assert selling.status("credit_sam_for_purchase", purchase_mac2(algorithm, sespk, settlement)) == "9000"


def test_what_a_purchase_cannot_be_begun_with(psam, algorithm):
    assert psam.status("init_sam_for_purchase", purchase(algorithm)) == "6985", "no terminal"
    psam.bind()
    assert psam.status("init_sam_for_purchase", purchase(algorithm)) == "9403"
    psam.load("DPK", Level.CITY, algorithm)
    for wrong, status in (
        ({"version": 2}, "9403"),
        ({"kind": b"1"}, "6A80"),
        ({"time": b"\xaa" * 7}, "6A80"),
        ({"factors": (CITY, CARD)}, "6A80"),
        ({"factors": (b"\0",)}, "6700"),
    ):
        assert psam.status("init_sam_for_purchase", purchase(algorithm, **wrong)) == status, wrong
    assert psam.status("init_sam_for_purchase", purchase(algorithm), 1) == "6A86"
    assert psam.status("credit_sam_for_purchase", bytes(4), 1) == "6A86"
    assert psam.ask("get_data", p1=1, p2=2, le=256).data[1:5] == bytes(4), "nothing was counted"


class Failing(MemoryStorage):
    """A memory whose next commits fail."""

    broken = False

    def commit(self, changes):
        if self.broken:
            raise Refused(Code.CHIP_STORAGE_FAILED, path="-", reason="test")
        super().commit(changes)


@pytest.mark.req("K8")
def test_mac1_never_leaves_before_the_counter_is_kept(psam_in, algorithm):
    storage = Failing()
    psam = psam_in(storage)
    psam.load("DPK", Level.CITY, algorithm)
    psam.bind()
    storage.broken = True
    answer = psam.ask("init_sam_for_purchase", purchase(algorithm))
    assert (answer.data, f"{answer.status:04X}") == (b"", "6581")
    storage.broken = False
    assert psam.status("credit_sam_for_purchase", bytes(4)) == "6985"


@pytest.mark.req("K8")
def test_its_state_lies_on_the_disk_and_the_counter_never_goes_back(psam_in, algorithm, tmp_path: Path):
    path = tmp_path / "one.chip"
    psam = psam_in(CardStorage(path))
    psam.load("DPK", Level.CITY, algorithm)
    psam.bind()
    seen = []
    for _ in range(3):
        seen.append(psam.ask("init_sam_for_purchase", purchase(algorithm), le=256).data[:4])
        psam.chip.power_off()
        path.write_bytes(path.read_bytes() + b"SHC1 half a frame")  # the power failed while the next was written
        psam.chip.power_on()
    assert seen == sorted(set(seen))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(64) + content[len(content) // 2 + 64 :])
    assert psam.chip.power_on() == b"", "a damaged PSAM is mute, it is not set back"


@pytest.mark.req("K8")
def test_random_commands_never_crash_it(psam, algorithm):
    value = psam.load("RK1DF01", Level.CITY, algorithm)
    dice = random.Random(20261122)
    known = [*psam.profile.instructions.values(), (0, 0xA4), (0, 0xB0), (0, 0x84), (0, 0xC0), (0, 0x82)]
    seen = b""
    for _ in range(10_000):
        if dice.random() < 0.7:
            cla, ins = dice.choice(known)
            data = dice.randbytes(dice.choice((0, 1, 2, 4, 6, 8, 16, 23, 24, 28, 36, 60)))
            body = bytes([len(data)]) + data if data else b""
            p2 = dice.choice((0, 1, algorithm << 4, dice.randrange(256)))
            apdu = bytes((cla, ins, dice.choice((0, 0x1C, 0x10, 0x95, dice.randrange(256))), p2)) + body
        else:
            apdu = dice.randbytes(dice.randrange(0, 40))
        answer = psam.chip.transmit(apdu)
        assert len(answer) >= 2 and answer[-2:] not in (b"\x6f\x00", b"\x65\x81"), apdu.hex()
        seen += answer
    assert value not in seen
    assert psam.deliver("RK1DF01", [CARD], algorithm) == "9000"
    assert psam.sw("00FE0000") == "6D00"
    assert psam.sw("C0A40000") == "6E00"
