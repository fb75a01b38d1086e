"""Ciphers and padding: what is encrypted comes back, and what has the wrong length is refused by number."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.crypto import ciphers, sm4, tdes
from sheka.foundation.crypto.algorithms import Algorithm, block_bytes
from sheka.foundation.crypto.padding import pad, unpad2
from sheka.foundation.crypto.sm3 import hmac_sm3, sm3
from sheka.foundation.refusals import Code, Refused

KEYS = st.binary(min_size=16, max_size=16)
NONCES = st.binary(min_size=12, max_size=12)
ALGORITHMS = st.sampled_from(Algorithm)
TEXTS = st.binary(max_size=70)


@given(ALGORITHMS, KEYS, st.binary(min_size=16, max_size=16), st.integers(0, 6), st.data())
def test_blocks_come_back(algorithm: Algorithm, key: bytes, iv: bytes, blocks: int, data: st.DataObject) -> None:
    """A card's data encrypted in ECB or CBC can be read again by the same key."""
    block = block_bytes(algorithm)
    text = data.draw(st.binary(min_size=blocks * block, max_size=blocks * block))
    assert ciphers.decrypt_ecb(algorithm, key, ciphers.encrypt_ecb(algorithm, key, text)) == text
    sealed = ciphers.encrypt_cbc(algorithm, key, iv[:block], text)
    assert ciphers.decrypt_cbc(algorithm, key, iv[:block], sealed) == text


@given(KEYS, st.binary(min_size=16, max_size=16), TEXTS)
def test_counter_mode_undoes_itself(key: bytes, iv: bytes, text: bytes) -> None:
    assert sm4.ctr(key, iv, sm4.ctr(key, iv, text)) == text


@pytest.mark.parametrize(
    ("seal", "unseal"),
    [(sm4.encrypt_gcm, sm4.decrypt_gcm), (sm4.encrypt_ccm, sm4.decrypt_ccm)],
    ids=["GCM", "CCM"],
)
@given(KEYS, NONCES, TEXTS, TEXTS, st.data())
def test_sealed_data_opens_only_unchanged(
    seal: Callable[..., bytes],
    unseal: Callable[..., bytes],
    key: bytes,
    nonce: bytes,
    text: bytes,
    aad: bytes,
    data: st.DataObject,
) -> None:
    """Keys at rest stand under GCM: one flipped bit anywhere must open nothing."""
    sealed = seal(key, nonce, text, aad)
    assert len(sealed) == len(text) + 16
    assert unseal(key, nonce, sealed, aad) == text
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    changed = flip(sealed, bit)
    for wrong in ((key, nonce, changed, aad), (key, nonce, sealed, aad + b"\x00"), (flip(key, 0), nonce, sealed, aad)):
        with pytest.raises(Refused) as refusal:
            unseal(*wrong)
        assert refusal.value.code is Code.CRYPTO_TAG


@pytest.mark.parametrize("unseal", [sm4.decrypt_gcm, sm4.decrypt_ccm])
def test_a_cut_tag_is_refused(unseal: Callable[..., bytes]) -> None:
    with pytest.raises(Refused) as refusal:
        unseal(bytes(16), bytes(12), bytes(15))
    assert refusal.value.code is Code.CRYPTO_TAG


def test_ccm_states_its_limits() -> None:
    """A longer text would need another nonce length: refusing beats a silent wrong length field."""
    for text, aad in ((bytes(1 << 24), b""), (b"", bytes(0xFF00))):
        with pytest.raises(Refused) as refusal:
            sm4.encrypt_ccm(bytes(16), bytes(12), text, aad)
        assert refusal.value.code is Code.CRYPTO_INPUT_LIMIT


@given(st.binary(max_size=40), st.sampled_from([8, 16]))
def test_padding_keeps_the_text(text: bytes, block: int) -> None:
    for method in (1, 2, 3):
        padded = pad(method, text, block)
        assert padded and len(padded) % block == 0
        body = padded[block:] if method == 3 else padded
        assert body.startswith(text)
        assert len(body) <= len(text) + block
    assert unpad2(pad(2, text, block)) == text


@pytest.mark.parametrize("data", [b"", bytes(8), b"\x80\x01", b"text"])
def test_missing_padding_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        unpad2(data)
    assert refusal.value.code is Code.CRYPTO_PADDING


@pytest.mark.parametrize("length", [0, 8, 15, 17, 24, 32])
def test_wrong_key_lengths_are_refused(algorithm: Algorithm, length: int) -> None:
    """A key cut by a bad import must never be used as if it were whole."""
    block = bytes(block_bytes(algorithm))
    key = bytes(length)
    for call in (
        lambda: ciphers.encrypt_ecb(algorithm, key, block),
        lambda: ciphers.decrypt_ecb(algorithm, key, block),
        lambda: ciphers.encrypt_cbc(algorithm, key, block, block),
        lambda: ciphers.decrypt_cbc(algorithm, key, block, block),
        lambda: ciphers.encryptor(algorithm, key),
    ):
        with pytest.raises(Refused) as refusal:
            call()
        assert refusal.value.code is Code.CRYPTO_KEY_LENGTH
        assert str(length) in refusal.value.text("zh-Hans")


@pytest.mark.parametrize("length", [1, 7, 9, 15, 17])
def test_broken_blocks_are_refused(algorithm: Algorithm, length: int) -> None:
    """Dropping a trailing half block would lose data in silence."""
    iv = bytes(block_bytes(algorithm))
    for call in (
        lambda: ciphers.encrypt_ecb(algorithm, bytes(16), bytes(length)),
        lambda: ciphers.decrypt_ecb(algorithm, bytes(16), bytes(length)),
        lambda: ciphers.encrypt_cbc(algorithm, bytes(16), iv, bytes(length)),
        lambda: ciphers.decrypt_cbc(algorithm, bytes(16), iv, bytes(length)),
        lambda: tdes.des_encrypt(bytes(8), bytes(length)),
        lambda: tdes.des_decrypt(bytes(8), bytes(length)),
        lambda: tdes.des_encrypt_cbc(bytes(8), bytes(8), bytes(length)),
    ):
        with pytest.raises(Refused) as refusal:
            call()
        assert refusal.value.code is Code.CRYPTO_BLOCK_LENGTH


def test_wrong_initial_vectors_are_refused() -> None:
    for call in (
        lambda: sm4.encrypt_cbc(bytes(16), bytes(8), b""),
        lambda: sm4.decrypt_cbc(bytes(16), bytes(8), b""),
        lambda: sm4.ctr(bytes(16), bytes(12), b""),
        lambda: sm4.encrypt_gcm(bytes(16), bytes(16), b""),
        lambda: sm4.decrypt_gcm(bytes(16), bytes(16), bytes(16)),
        lambda: sm4.encrypt_ccm(bytes(16), bytes(11), b""),
        lambda: sm4.decrypt_ccm(bytes(16), bytes(13), bytes(16)),
        lambda: tdes.encrypt_cbc(bytes(16), bytes(16), b""),
        lambda: tdes.decrypt_cbc(bytes(16), bytes(16), b""),
    ):
        with pytest.raises(Refused) as refusal:
            call()
        assert refusal.value.code is Code.CRYPTO_IV_LENGTH


@pytest.mark.parametrize("method", [0, 4, -1])
def test_unknown_padding_methods_are_refused(method: int) -> None:
    with pytest.raises(Refused) as refusal:
        pad(method, b"", 8)
    assert refusal.value.code is Code.CRYPTO_PADDING_METHOD


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_single_des_is_triple_des_of_equal_halves(key: bytes, block: bytes) -> None:
    sealed = tdes.des_encrypt(key, block)
    assert sealed == tdes.encrypt_ecb(key + key, block)
    assert tdes.des_decrypt(key, sealed) == block
    assert tdes.des_encrypt_cbc(key, block, bytes(8)) == sealed


@given(KEYS)
def test_parity_changes_no_key(key: bytes) -> None:
    """DES ignores the parity bit, so adjusting it must keep every cryptogram."""
    adjusted = tdes.adjust_parity(key)
    assert all(value.bit_count() % 2 == 1 for value in adjusted)
    assert tdes.encrypt_ecb(adjusted, bytes(8)) == tdes.encrypt_ecb(key, bytes(8))


@given(TEXTS, TEXTS)
def test_digests_tell_texts_apart(left: bytes, right: bytes) -> None:
    assert (sm3(left) == sm3(right)) == (left == right)
    assert len(hmac_sm3(left, right)) == 32
    assert hmac_sm3(b"key", left) != hmac_sm3(b"another key", left)


def flip(data: bytes, bit: int) -> bytes:
    """`data` with one bit turned over."""
    return bytes(value ^ (0x80 >> bit % 8 if at == bit // 8 else 0) for at, value in enumerate(data))
