"""The formulae of card and verifier: if one side drifted, genuine cards would fail or forged ones pass (C1)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.chip import authentication as au
from sheka.foundation.crypto import mac, sm4, tdes
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.diversify import diversify_chain
from sheka.foundation.refusals import Code, Refused

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
FACTOR, SOURCE = bytes.fromhex("1122334455667788"), bytes.fromhex("99AABBCCDDEEFF00")
VECTORS = Path(__file__).parents[2] / "vectors" / "crypto.json"


def invert(data: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in data)


@pytest.mark.req("C1")
def test_internal_answer_is_des_under_the_session_key_of_the_factor() -> None:
    session = tdes.encrypt_ecb(KEY, FACTOR)
    assert au.internal_response(Algorithm.TDES, KEY, FACTOR, SOURCE) == tdes.des_encrypt(session, SOURCE)
    session4 = sm4.encrypt_ecb(KEY, FACTOR + invert(FACTOR))
    expected = sm4.encrypt_ecb(session4, SOURCE + invert(SOURCE))[:8]
    assert au.internal_response(Algorithm.SM4, KEY, FACTOR, SOURCE) == expected


@pytest.mark.req("C1")
def test_external_cryptogram_takes_the_challenge_as_factor_and_as_source_when_none_is_chosen() -> None:
    for algorithm in Algorithm:
        assert au.external_cryptogram(algorithm, KEY, FACTOR, SOURCE) == au.internal_response(
            algorithm, KEY, FACTOR, SOURCE
        )
        assert au.external_cryptogram(algorithm, KEY, FACTOR) == au.external_cryptogram(algorithm, KEY, FACTOR, FACTOR)
    assert au.external_data(FACTOR, SOURCE) == FACTOR + SOURCE


@pytest.mark.req("C1")
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_verifier_with_a_higher_level_key_reaches_the_same_answer(algorithm: Algorithm) -> None:
    province, city, card = (bytes.fromhex(f) for f in ("4600000000000000", "4601000000000000", "8660460000000135"))
    on_card = diversify_chain(algorithm, KEY, [province, city, card])
    held_by_province = diversify_chain(algorithm, KEY, [province])
    from_province = diversify_chain(algorithm, held_by_province, [city, card])
    answer = au.internal_response(algorithm, on_card, FACTOR, SOURCE)
    assert au.internal_response(algorithm, from_province, FACTOR, SOURCE) == answer
    assert au.internal_response(algorithm, diversify_chain(algorithm, KEY, [city, card]), FACTOR, SOURCE) != answer


def test_command_mac_iv_matches_the_shared_vector() -> None:
    row = next(
        v
        for v in json.loads(VECTORS.read_text("utf-8"))["vectors"]
        if v["name"].startswith("secure-messaging MAC, SM4")
    )
    given_ = {name: bytes.fromhex(value) for name, value in row["inputs"].items()}
    iv = au.initial_value(Algorithm.SM4, given_["challenge"])
    assert mac.command_mac(Algorithm.SM4, given_["key"], given_["command_and_data"], iv).hex() == row["expected"]
    assert au.initial_value(Algorithm.TDES, b"abcd") == b"abcd\0\0\0\0"


def test_purchase_formulae_of_a_3des_card() -> None:
    settlement = au.Settlement((0, 8000, 5000), bytes.fromhex("460100000001"), bytes.fromhex("20260106093000"))
    message = bytes.fromhex("00000000 00001F40 00001388 32 460100000001 20260106093000")
    assert settlement.message() == message
    session = au.purchase_session_key(Algorithm.TDES, KEY, b"rand", b"\x00\x01", bytes.fromhex("AABB0007"))
    assert session == tdes.encrypt_ecb(KEY, b"rand" + bytes.fromhex("00010007"))
    assert au.purchase_mac1(Algorithm.TDES, session, settlement) == mac.mac_iso9797(1, session, message, length=4)
    assert au.purchase_mac2(Algorithm.TDES, session, settlement) == mac.mac_iso9797(1, session, message[:12], length=4)
    tac_key = bytes(a ^ b for a, b in zip(KEY[:8], KEY[8:], strict=True))
    signed = message[:19] + bytes.fromhex("AABB0007") + message[19:]
    expected = mac.mac_iso9797(1, tac_key, signed, length=4)
    assert au.tac(Algorithm.TDES, KEY, settlement, bytes.fromhex("AABB0007")) == expected


def test_purchase_formulae_of_an_sm4_card() -> None:
    settlement = au.Settlement((1, 2, 3), bytes.fromhex("460100000001"), bytes.fromhex("20260106093000"))
    session = au.purchase_session_key(Algorithm.SM4, KEY, b"rand", b"\x00\x01", bytes.fromhex("AABB0007"))
    assert len(session) == 16
    zero = bytes(16)
    assert au.purchase_mac1(Algorithm.SM4, session, settlement) == mac.command_mac(
        Algorithm.SM4, session, settlement.message(), zero
    )
    signed = settlement.message()[:19] + bytes.fromhex("AABB0007") + settlement.message()[19:]
    assert au.tac(Algorithm.SM4, KEY, settlement, bytes.fromhex("AABB0007")) == mac.command_mac(
        Algorithm.SM4, KEY, signed, zero
    )


@pytest.mark.req("C1")
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_authentication_code_depends_on_every_byte_of_the_number_and_on_the_key(algorithm: Algorithm) -> None:
    first12 = bytes.fromhex("460100D15600000500000135")
    code = au.card_authentication_code(algorithm, KEY, first12)
    assert code == mac.command_mac(algorithm, KEY, first12)
    others = {au.card_authentication_code(algorithm, KEY, first12[:i] + b"\x77" + first12[i + 1 :]) for i in range(12)}
    others.add(au.card_authentication_code(algorithm, KEY[::-1], first12))
    assert len(code) == 4
    assert code not in others


@settings(max_examples=40)
@given(
    st.sampled_from(list(Algorithm)),
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=8, max_size=8),
    st.integers(1, 255),
    st.integers(1, 3),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 22),
)
def test_a_wrapped_key_comes_out_whole_and_any_changed_byte_is_noticed(
    algorithm: Algorithm, kt: bytes, challenge: bytes, key_id: int, version: int, key: bytes, at: int
) -> None:
    data = au.wrap_key_for_chip(algorithm, kt, challenge, key_id, version, key)
    assert len(data) == au.WRAPPED_KEY_BYTES == 23
    assert key not in data
    assert au.unwrap_key_in_chip(algorithm, kt, challenge, data) == (key_id, version, key)
    changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    assert au.unwrap_key_in_chip(algorithm, kt, challenge, changed) is None
    assert au.unwrap_key_in_chip(algorithm, kt, invert(challenge), data) is None
    assert au.unwrap_key_in_chip(algorithm, kt, challenge, data[:-1]) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: au.internal_response(Algorithm.TDES, KEY[:8], FACTOR, SOURCE),
        lambda: au.internal_response(Algorithm.SM4, KEY, FACTOR[:7], SOURCE),
        lambda: au.internal_response(Algorithm.SM4, KEY, FACTOR, SOURCE + b"x"),
        lambda: au.external_data(FACTOR, b""),
        lambda: au.initial_value(Algorithm.TDES, bytes(9)),
        lambda: au.card_authentication_code(Algorithm.SM4, KEY, bytes(11)),
        lambda: au.purchase_session_key(Algorithm.SM4, KEY, b"abc", b"12", b"1234"),
        lambda: au.tac(Algorithm.SM4, KEY, au.Settlement((0, 0, 0), bytes(5), bytes(7)), bytes(4)),
        lambda: au.wrap_key_for_chip(Algorithm.SM4, KEY, bytes(4), 1, 1, KEY),
        lambda: au.wrap_key_for_chip(Algorithm.SM4, KEY, bytes(8), 1, 1, KEY[:8]),
    ],
)
def test_inputs_of_a_wrong_length_are_refused_and_never_filled_up(call: object) -> None:
    with pytest.raises(Refused) as refusal:
        call()  # type: ignore[operator]
    assert refusal.value.code in (Code.CHIP_FORMULA_INPUT, Code.CRYPTO_KEY_LENGTH, Code.CRYPTO_INPUT_LENGTH)


@pytest.mark.parametrize("amounts", [(-1, 0, 0), (0, 1 << 32, 0)])
def test_an_amount_that_four_bytes_cannot_hold_is_refused(amounts: tuple[int, int, int]) -> None:
    with pytest.raises(Refused) as refusal:
        au.amounts_bytes(amounts)
    assert refusal.value.code is Code.CHIP_AMOUNT_RANGE
