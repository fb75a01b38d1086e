"""MACs: a changed bit is seen, algorithms that the standards relate agree, psec computes the same."""

from __future__ import annotations

import psec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.crypto import mac, sm4, tdes
from sheka.foundation.crypto.algorithms import Algorithm, block_bytes
from sheka.foundation.crypto.padding import pad
from sheka.foundation.refusals import Code, Refused

KEYS = st.binary(min_size=16, max_size=16)
TEXTS = st.binary(min_size=1, max_size=60)
MESSAGE = b"This is the test message for mac"
STANDARD_KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")


@pytest.mark.req("C1")
@given(st.sampled_from(Algorithm), KEYS, TEXTS, st.binary(min_size=4, max_size=4), st.data())
def test_any_changed_bit_changes_the_command_mac(
    algorithm: Algorithm, key: bytes, text: bytes, challenge: bytes, data: st.DataObject
) -> None:
    """A forged write command must not pass: text, challenge and key all count. (4 bytes: a chance hit is 2⁻³².)"""
    iv = mac.command_iv(algorithm, challenge)
    right = mac.command_mac(algorithm, key, text, iv)
    assert len(right) == 4
    assert mac.same(right, mac.command_mac(algorithm, key, text, iv))
    forged = flip(text, data.draw(st.integers(0, 8 * len(text) - 1)))
    other = mac.command_iv(algorithm, flip(challenge, data.draw(st.integers(0, 31))))
    assert not mac.same(right, mac.command_mac(algorithm, key, forged, iv))
    assert not mac.same(right, mac.command_mac(algorithm, key, text, other))
    assert not mac.same(right, mac.command_mac(algorithm, flip(key, 8), text, iv))


@given(KEYS, TEXTS, st.sampled_from([1, 2, 3]))
def test_psec_computes_the_same_retail_mac(key: bytes, text: bytes, padding: int) -> None:
    """An independent library is the second opinion on algorithm 3."""
    with pytest.warns(Warning):
        theirs = psec.mac.generate_retail_mac(key[:8], key[8:], text, padding)
    assert mac.mac_iso9797(3, key, text, padding=padding) == theirs


@given(KEYS, TEXTS, st.binary(min_size=8, max_size=8))
def test_command_mac_is_the_retail_mac(key: bytes, text: bytes, iv: bytes) -> None:
    assert mac.command_mac(Algorithm.TDES, key, text, iv) == mac.mac_iso9797(3, key, text, length=4, iv=iv)
    assert mac.command_mac(Algorithm.TDES, key, text) == mac.mac_iso9797(3, key, text, length=4)
    assert mac.command_mac(Algorithm.SM4, key, text) == mac.mac_sm4(1, key, text, length=4)


@given(st.binary(min_size=8, max_size=8), TEXTS)
def test_purchase_mac_is_a_des_chain(key: bytes, text: bytes) -> None:
    """Algorithm 1 under an 8-byte session key: the MAC1, MAC2 and TAC of a medical purchase."""
    chained = bytes(8)
    padded = pad(2, text, 8)
    for at in range(0, len(padded), 8):
        chained = tdes.des_encrypt(key, bytes(a ^ b for a, b in zip(chained, padded[at : at + 8], strict=True)))
    assert mac.mac_iso9797(1, key, text) == chained


@given(KEYS, KEYS, TEXTS, st.integers(1, 7), st.data())
def test_any_changed_bit_changes_the_sm4_mac(
    key: bytes, key2: bytes, text: bytes, number: int, data: st.DataObject
) -> None:
    second = key2 if number in (2, 3, 4) else b""
    right = mac.mac_sm4(number, key, text, key2=second)
    assert len(right) == (8 if number == 7 else 16)
    forged = flip(text, data.draw(st.integers(0, 8 * len(text) - 1)))
    assert mac.mac_sm4(number, key, forged, key2=second) != right
    cut = mac.mac_sm4(number, key, text, key2=second, length=4)
    assert len(cut) == 4 and (cut == right[:4] or number == 7)


@pytest.mark.parametrize(
    ("number", "message", "expected"),
    [
        (7, MESSAGE, "16e02904efb765b7"),
        (7, MESSAGE[:25], "846fa2a5d83445a9"),
        (8, MESSAGE, "e40ed79c3149a1c9d42f04c423049935"),
        (8, MESSAGE[:25], "a99d13013e892ee2c25be2daaa6c82e8"),
    ],
)
def test_whole_and_broken_last_blocks(number: int, message: bytes, expected: str) -> None:
    """GB/T 15852.1-2020 appendix B: TrCBC and CBCR treat a whole last block in another way than a broken one."""
    assert mac.mac_sm4(number, STANDARD_KEY, message).hex() == expected


@given(KEYS, TEXTS, st.data())
def test_cbcr_sees_all_bits_but_one(key: bytes, text: bytes, data: st.DataObject) -> None:
    """Algorithm 8 as published forgets the top bit of a broken last block, which is why nothing of ours uses it."""
    blind = None if len(text) % 16 == 0 else len(text) // 16 * 128
    bit = data.draw(st.integers(0, 8 * len(text) - 1))
    changed = mac.mac_sm4(8, key, flip(text, bit)) != mac.mac_sm4(8, key, text)
    assert changed == (bit != blind)


@given(KEYS, TEXTS)
def test_related_algorithms_agree(key: bytes, text: bytes) -> None:
    """EMAC is CBC-MAC encrypted once more; the retail MAC under one key twice is CBC-MAC again."""
    assert mac.mac_sm4(2, key, text, key2=key) == sm4.encrypt_ecb(key, mac.mac_sm4(1, key, text))
    assert mac.mac_sm4(3, key, text, key2=key) == mac.mac_sm4(1, key, text)
    assert mac.mac_sm4(5, key, text) == mac.cmac(Algorithm.SM4, key, text)


def test_double_length_cmac_is_triple_length_with_the_first_key_again() -> None:
    assert mac.cmac(Algorithm.TDES, STANDARD_KEY, MESSAGE) == mac.cmac(
        Algorithm.TDES, STANDARD_KEY + STANDARD_KEY[:8], MESSAGE
    )


def test_wrong_requests_are_refused() -> None:
    key = bytes(16)
    cases = [
        (Code.CRYPTO_MAC_ALGORITHM, lambda: mac.mac_sm4(0, key, b"")),
        (Code.CRYPTO_MAC_ALGORITHM, lambda: mac.mac_sm4(9, key, b"")),
        (Code.CRYPTO_MAC_ALGORITHM, lambda: mac.mac_iso9797(2, key, b"")),  # type: ignore[arg-type]
        (Code.CRYPTO_MAC_ALGORITHM, lambda: mac.cmac("DES", key, b"")),  # type: ignore[arg-type]
        (Code.CRYPTO_MAC_LENGTH, lambda: mac.mac_sm4(7, key, b"", length=9)),
        (Code.CRYPTO_MAC_LENGTH, lambda: mac.mac_sm4(1, key, b"", length=0)),
        (Code.CRYPTO_MAC_LENGTH, lambda: mac.mac_iso9797(3, key, b"", length=9)),
        (Code.CRYPTO_KEY_LENGTH, lambda: mac.mac_sm4(2, key, b"")),
        (Code.CRYPTO_KEY_LENGTH, lambda: mac.mac_sm4(1, key, b"", key2=key)),
        (Code.CRYPTO_KEY_LENGTH, lambda: mac.mac_sm4(1, bytes(15), b"")),
        (Code.CRYPTO_KEY_LENGTH, lambda: mac.mac_iso9797(1, key, b"")),
        (Code.CRYPTO_KEY_LENGTH, lambda: mac.mac_iso9797(3, bytes(8), b"")),
        (Code.CRYPTO_KEY_LENGTH, lambda: mac.command_mac(Algorithm.TDES, bytes(8), b"")),
        (Code.CRYPTO_KEY_LENGTH, lambda: mac.cmac("AES", bytes(8), b"")),
        (Code.CRYPTO_KEY_LENGTH, lambda: mac.cmac(Algorithm.SM4, bytes(24), b"")),
        (Code.CRYPTO_IV_LENGTH, lambda: mac.command_mac(Algorithm.SM4, key, b"", bytes(8))),
        (Code.CRYPTO_IV_LENGTH, lambda: mac.command_mac(Algorithm.TDES, key, b"", bytes(4))),
        (Code.CRYPTO_IV_LENGTH, lambda: mac.command_mac(Algorithm.TDES, key, bytes(20), bytes(16))),
        (Code.CRYPTO_IV_LENGTH, lambda: mac.command_iv(Algorithm.TDES, bytes(8))),
        (Code.CRYPTO_PADDING_METHOD, lambda: mac.mac_iso9797(3, key, b"", padding=4)),
    ]
    for code, call in cases:
        with pytest.raises(Refused) as refusal:
            call()
        assert refusal.value.code is code


def test_command_iv_is_one_block(algorithm: Algorithm) -> None:
    iv = mac.command_iv(algorithm, b"\x11\x22\x33\x44")
    assert iv == b"\x11\x22\x33\x44".ljust(block_bytes(algorithm), b"\x00")


def flip(data: bytes, bit: int) -> bytes:
    """`data` with one bit turned over."""
    return bytes(value ^ (0x80 >> bit % 8 if at == bit // 8 else 0) for at, value in enumerate(data))
