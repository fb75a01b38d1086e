"""Diversification, session keys, check values and batches: one by one and all at once must be the same keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.crypto import batch, batch_sm4, batch_tdes, ciphers, des_circuits, kcv
from sheka.foundation.crypto import diversify as div
from sheka.foundation.crypto.algorithms import Algorithm, block_bytes
from sheka.foundation.crypto.des_tables import box_value
from sheka.foundation.refusals import Code, Refused

KEYS = st.binary(min_size=16, max_size=16)
FACTORS = st.binary(min_size=8, max_size=8)
ALGORITHMS = st.sampled_from(Algorithm)
FORMS = {Algorithm.SM4: batch_sm4.encrypt, Algorithm.TDES: batch_tdes.encrypt}


def some_bytes(seed: int, count: int) -> bytes:
    """Repeatable noise, so that a failure can be looked at again."""
    return np.random.default_rng(seed).bytes(count)


@pytest.mark.req("K2")
@given(ALGORITHMS, KEYS, st.lists(FACTORS, max_size=20))
def test_many_children_are_the_children_one_by_one(algorithm: Algorithm, key: bytes, factors: list[bytes]) -> None:
    """A batch of cards personalised together carries the same keys as cards made one at a time."""
    together = div.diversify_many(algorithm, key, b"".join(factors))
    assert together == b"".join(div.diversify(algorithm, key, factor) for factor in factors)


def test_children_across_the_chunks_of_a_long_batch(algorithm: Algorithm) -> None:
    """Also across the change from a cipher context to bit planes, which must not be seen in the keys."""
    key = some_bytes(1, 16)
    for count in (div._CHUNK + 3, batch_tdes.CHUNK // 2 + 3):
        factors = some_bytes(2, 8 * count)
        together = div.diversify_many(algorithm, key, factors)
        assert len(together) == 16 * count
        for at in (0, div._CHUNK - 1, div._CHUNK, count - 3, count - 1):
            assert together[16 * at : 16 * at + 16] == div.diversify(algorithm, key, factors[8 * at : 8 * at + 8])


@pytest.mark.req("K1")
@given(ALGORITHMS, KEYS, st.lists(FACTORS, max_size=3), st.lists(FACTORS, max_size=3))
def test_a_level_derives_all_below_it(
    algorithm: Algorithm, root: bytes, above: list[bytes], below: list[bytes]
) -> None:
    """The province's sub-key gives the same card keys as the ministry's root: the ministry need not be asked again."""
    sub_key = div.diversify_chain(algorithm, root, above)
    assert div.diversify_chain(algorithm, sub_key, below) == div.diversify_chain(algorithm, root, above + below)


@given(ALGORITHMS, KEYS, FACTORS)
def test_the_rule_of_a_child(algorithm: Algorithm, key: bytes, factor: bytes) -> None:
    complement = bytes(0xFF ^ value for value in factor)
    child = div.diversify(algorithm, key, factor)
    assert child == ciphers.encrypt_ecb(algorithm, key, factor + complement)
    other_way = div.diversify(algorithm, key, complement)
    assert child != other_way
    if algorithm is Algorithm.TDES:
        assert other_way == child[8:] + child[:8]
        assert div.session_key(algorithm, key, factor) == child[:8]
    else:
        assert div.session_key(algorithm, key, factor) == child


@pytest.mark.parametrize("count", [0, 1, 7, 130, 2100])
def test_each_key_its_own_child(algorithm: Algorithm, count: int) -> None:
    """Both sides of the change from contexts to numpy, for whole batches one level down."""
    keys, factors = some_bytes(3, 16 * count), some_bytes(4, 8 * count)
    together = div.diversify_each(algorithm, keys, factors)
    assert len(together) == 16 * count
    for at in {0, count // 2, count - 1} if count else set():
        own = div.diversify(algorithm, keys[16 * at : 16 * at + 16], factors[8 * at : 8 * at + 8])
        assert together[16 * at : 16 * at + 16] == own


@settings(deadline=None, max_examples=12)
@given(ALGORITHMS, st.integers(0, 70), st.integers(0, 2**32))
def test_the_numpy_forms_are_the_ciphers(algorithm: Algorithm, count: int, seed: int) -> None:
    """The batch code has its own SM4 and DES: any slip in it would make keys that no card accepts."""
    block = block_bytes(algorithm)
    keys, blocks = some_bytes(seed, 16 * count), some_bytes(seed + 1, block * count)
    expected = b"".join(
        ciphers.encrypt_ecb(algorithm, keys[16 * at : 16 * at + 16], blocks[block * at : block * at + block])
        for at in range(count)
    )
    assert FORMS[algorithm](keys, blocks) == expected


def test_a_batch_longer_than_a_chunk() -> None:
    """The last, shorter chunk must not be mixed up with the first."""
    many: dict[Algorithm, Callable[[bytes, bytes], bytes]] = {
        Algorithm.SM4: batch.sm4_many,
        Algorithm.TDES: batch.tdes_many,
    }
    chunks = {Algorithm.SM4: batch_sm4.CHUNK, Algorithm.TDES: batch_tdes.CHUNK}
    for algorithm, encrypt in many.items():
        block, count = block_bytes(algorithm), chunks[algorithm] + 65
        keys, blocks = some_bytes(5, 16 * count), some_bytes(6, block * count)
        sealed = encrypt(keys, blocks)
        assert len(sealed) == block * count
        for at in (0, 63, 64, chunks[algorithm] - 1, chunks[algorithm], count - 1):
            one = ciphers.encrypt_ecb(algorithm, keys[16 * at : 16 * at + 16], blocks[block * at : block * at + block])
            assert sealed[block * at : block * at + block] == one


def test_several_blocks_under_each_key(algorithm: Algorithm) -> None:
    block = block_bytes(algorithm)
    for count in (40, 800):
        keys, blocks = some_bytes(7, 16 * count), some_bytes(8, 3 * block * count)
        sealed = batch.encrypt_many(algorithm, keys, blocks, blocks_per_key=3)
        for at in (0, count - 1):
            part = slice(3 * block * at, 3 * block * (at + 1))
            assert sealed[part] == ciphers.encrypt_ecb(algorithm, keys[16 * at : 16 * at + 16], blocks[part])


@pytest.mark.req("K6")
@pytest.mark.parametrize("count", [0, 1, 99, 100, 2500])
def test_check_values_of_many_keys(algorithm: Algorithm, count: int) -> None:
    """The check values on a distribution list are those that the receiver computes key by key."""
    keys, size = some_bytes(9, 16 * count), kcv.check_value_bytes(algorithm)
    values = kcv.check_values_many(algorithm, keys)
    assert len(values) == size * count
    for at in {0, count // 3, count - 1} if count else set():
        assert values[size * at : size * at + size] == kcv.check_value(algorithm, keys[16 * at : 16 * at + 16])


def test_s_boxes_on_every_input() -> None:
    for box, circuit in enumerate(des_circuits.circuits()):
        assert [des_circuits.run(circuit, value) for value in range(64)] == [
            box_value(box, value) for value in range(64)
        ]


def test_a_spoilt_circuit_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a gate changed by mistake, wrong keys would be made: the loader must stop instead."""
    spoilt = list(des_circuits._CIRCUITS)
    spoilt[4] = spoilt[4].replace("^", "&", 1)
    monkeypatch.setattr(des_circuits, "_CIRCUITS", tuple(spoilt))
    des_circuits.circuits.cache_clear()
    try:
        with pytest.raises(AssertionError, match="S5"):
            des_circuits.circuits()
    finally:
        monkeypatch.undo()
        des_circuits.circuits.cache_clear()
        assert len(des_circuits.circuits()) == 8


def test_wrong_lengths_are_refused(algorithm: Algorithm) -> None:
    key, block = bytes(16), block_bytes(algorithm)
    cases = [
        (Code.CRYPTO_INPUT_LENGTH, lambda: div.diversify(algorithm, key, bytes(7))),
        (Code.CRYPTO_INPUT_LENGTH, lambda: div.diversify_chain(algorithm, key, [bytes(8), bytes(9)])),
        (Code.CRYPTO_INPUT_LENGTH, lambda: div.session_key(algorithm, key, bytes(4))),
        (Code.CRYPTO_INPUT_LENGTH, lambda: div.session_key_atc(algorithm, key, bytes(3))),
        (Code.CRYPTO_INPUT_LENGTH, lambda: div.diversify_each(algorithm, bytes(32), bytes(8))),
        (Code.CRYPTO_INPUT_LENGTH, lambda: batch.encrypt_many(algorithm, bytes(32), bytes(block))),
        (Code.CRYPTO_BLOCK_LENGTH, lambda: div.diversify_many(algorithm, key, bytes(12))),
        (Code.CRYPTO_BLOCK_LENGTH, lambda: div.diversify_each(algorithm, bytes(17), bytes(8))),
        (Code.CRYPTO_BLOCK_LENGTH, lambda: batch.encrypt_many(algorithm, bytes(20), bytes(block))),
        (Code.CRYPTO_BLOCK_LENGTH, lambda: batch.encrypt_many(algorithm, bytes(16), bytes(block - 1))),
        (Code.CRYPTO_BLOCK_LENGTH, lambda: kcv.check_values_many(algorithm, bytes(15))),
        (Code.CRYPTO_KEY_LENGTH, lambda: kcv.check_value(algorithm, bytes(24))),
        (Code.CRYPTO_KEY_LENGTH, lambda: kcv.check_value_aes(bytes(8))),
        (Code.CRYPTO_KEY_LENGTH, lambda: div.diversify_many(algorithm, bytes(15), bytes(8))),
    ]
    for code, call in cases:
        with pytest.raises(Refused) as refusal:
            call()
        assert refusal.value.code is code
