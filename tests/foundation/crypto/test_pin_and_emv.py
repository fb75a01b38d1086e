"""PIN blocks and EMV keys: a PIN reaches the chip unchanged, and pyemv derives the same keys for any account."""

from __future__ import annotations

import warnings

import pyemv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.crypto import emv, pinblock
from sheka.foundation.refusals import Code, Refused

DIGITS = "0123456789"
PINS = st.text(DIGITS, min_size=4, max_size=12)
PANS = st.text(DIGITS, min_size=13, max_size=19)
KEYS = st.binary(min_size=16, max_size=16)


def refused(code: Code) -> pytest.RaisesExc[Refused]:
    return pytest.raises(Refused, check=lambda refusal: refusal.code is code)


@given(PINS, PANS)
def test_pin_blocks_come_back(pin: str, pan: str) -> None:
    assert pinblock.decode_format0(pinblock.encode_format0(pin, pan), pan) == pin
    assert pinblock.decode_format2(pinblock.encode_format2(pin)) == pin


def test_a_pin_block_is_bound_to_its_account() -> None:
    """Moved to another account, the block must not open as a PIN there."""
    block = pinblock.encode_format0("123456", "6217004220000843361")
    with refused(Code.CRYPTO_PIN_BLOCK):
        pinblock.decode_format0(block, "6217999999999999999")


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12a4", "１２３４", "12 4", "-123"])
def test_impossible_pins_are_refused(pin: str) -> None:
    for call in (lambda: pinblock.encode_format2(pin), lambda: pinblock.encode_format0(pin, "6217004220000843361")):
        with refused(Code.CRYPTO_PIN) as refusal:
            call()
        assert not pin or pin not in refusal.value.text("en"), "a refusal never shows a PIN"


@pytest.mark.parametrize(
    "block",
    ["", "24", "341234ffffffffff", "231234ffffffffff", "2412a4ffffffffff", "241234fffffffff0", "2f12345678901234"],
)
def test_malformed_pin_blocks_are_refused(block: str) -> None:
    with refused(Code.CRYPTO_PIN_BLOCK):
        pinblock.decode_format2(bytes.fromhex(block))


@pytest.mark.parametrize("pan", ["", "621700422000", "62170042200008433610", "6217oo4220000843361"])
def test_impossible_accounts_are_refused(pan: str) -> None:
    with refused(Code.CRYPTO_ACCOUNT):
        pinblock.encode_format0("1234", pan)


@given(KEYS, PANS, st.text(DIGITS, min_size=2, max_size=2), st.binary(min_size=8, max_size=8), st.binary(max_size=40))
def test_pyemv_derives_the_same(key: bytes, pan: str, sequence: str, value: bytes, data: bytes) -> None:
    """A second implementation for every step from the issuer's key to the response cryptogram."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        card_key = pyemv.kd.derive_icc_mk_a(key, pan, sequence)
        session = pyemv.kd.derive_common_sk(card_key, value)
        arqc = pyemv.ac.generate_ac(session, data)
        arpc = pyemv.ac.generate_arpc_1(session, arqc, b"00")
        tree, visa = (
            derive(card_key, value[:2]) for derive in (pyemv.kd.derive_emv2000_tree_sk, pyemv.kd.derive_visa_sm_sk)
        )
        script = pyemv.sm.generate_command_mac(session, data)
    assert emv.icc_master_key(key, pan, sequence) == card_key
    assert emv.common_session_key(card_key, value) == session
    assert emv.application_cryptogram(session, data) == arqc
    assert emv.response_cryptogram(session, arqc, b"00") == arpc
    assert emv.tree_session_key(card_key, value[:2]) == tree
    assert emv.visa_session_key(card_key, value[:2]) == visa
    assert emv.script_mac(session, data) == script


def test_the_tall_tree_is_pyemvs_too() -> None:
    key = bytes(range(16))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pyemv.kd.derive_emv2000_tree_sk(key, b"\x12\x34", 16, 2)
    assert emv.tree_session_key(key, b"\x12\x34", height=16, branch=2) == theirs


def test_wrong_lengths_are_refused() -> None:
    key = bytes(16)
    cases = [
        (Code.CRYPTO_INPUT_LENGTH, lambda: emv.common_session_key(key, bytes(7))),
        (Code.CRYPTO_INPUT_LENGTH, lambda: emv.visa_session_key(key, bytes(3))),
        (Code.CRYPTO_INPUT_LENGTH, lambda: emv.visa_session_key(bytes(24), bytes(2))),
        (Code.CRYPTO_INPUT_LENGTH, lambda: emv.tree_session_key(key, bytes(1))),
        (Code.CRYPTO_INPUT_LENGTH, lambda: emv.tree_session_key(key, bytes(2), height=7, branch=4)),
        (Code.CRYPTO_INPUT_LENGTH, lambda: emv.response_cryptogram(key, bytes(7), bytes(2))),
        (Code.CRYPTO_INPUT_LENGTH, lambda: emv.response_cryptogram(key, bytes(8), bytes(3))),
        (Code.CRYPTO_KEY_LENGTH, lambda: emv.application_cryptogram(bytes(24), b"")),
        (Code.CRYPTO_KEY_LENGTH, lambda: emv.icc_master_key(bytes(8), "6217004220000843361")),
        (Code.CRYPTO_ACCOUNT, lambda: emv.icc_master_key(key, "62170042200008433x1")),
        (Code.CRYPTO_ACCOUNT, lambda: emv.icc_master_key(key, "6217004220000843361", "1")),
    ]
    for code, call in cases:
        with refused(code):
            call()
