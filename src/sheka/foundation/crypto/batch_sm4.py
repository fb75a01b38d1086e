"""SM4 of many blocks, each under its own key, by table look-ups over whole columns (K2, K6: batches of cards).

A round of SM4 and of its key schedule puts four bytes through the S-box and a linear map. Here two 16-bit tables hold
both steps at once, and numpy looks up one column of a chunk at a time.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CHUNK = 8192
"""Blocks to a chunk: its columns stay in the cache of a core beside the tables (four of 256 KiB)."""

Column = NDArray[np.uint32]
Words = NDArray[np.uint32]

_ROUNDS = 32
_FAMILY_KEY = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)
_S_BOX = bytes.fromhex(
    "d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa441326498606999c4250f491ef987a33540b43edcfac62"
    "e4b31ca9c908e89580df94fa758f3fa64707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35"
    "1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89eeabf8ad240c738b5a3f7f2cef96115a1"
    "e0ae5da49b341a55ad933230f58cb1e31df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51"
    "8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b08969974a0c96777e65b9f109c56ec684"
    "18f07dec3adc4d2079ee5f3ed7cb3948"
)


class _Tables(NamedTuple):
    """S-box and linear map of the upper and lower half of a word, for the rounds and for the key schedule."""

    upper: Column
    lower: Column
    key_upper: Column
    key_lower: Column


def encrypt(keys: bytes, blocks: bytes) -> bytes:
    """Block i under key i: keys, blocks and answer are 16·N bytes each."""
    count = len(blocks) // 16
    key_words = np.frombuffer(keys, ">u4").astype(np.uint32).reshape(count, 4)
    block_words = np.frombuffer(blocks, ">u4").astype(np.uint32).reshape(count, 4)
    answer = np.empty((count, 4), ">u4")
    for start in range(0, count, CHUNK):
        part = slice(start, start + CHUNK)
        answer[part] = _chunk(key_words[part], block_words[part])
    return answer.tobytes()


def _chunk(keys: Words, blocks: Words) -> Words:
    """(n, 4) key words and (n, 4) block words to (n, 4) words of cryptogram; round keys are made as they are needed."""
    tables = _tables()
    key = [np.bitwise_xor(keys[:, word], np.uint32(_FAMILY_KEY[word])) for word in range(4)]
    state = [np.ascontiguousarray(blocks[:, word]) for word in range(4)]
    mixed, found = np.empty_like(state[0]), np.empty_like(state[0])
    halves = mixed.view(np.uint16).reshape(-1, 2)
    low, high = (halves[:, 0], halves[:, 1]) if np.little_endian else (halves[:, 1], halves[:, 0])
    for constant in _round_constants():
        _mix(key, constant, mixed)
        _absorb(key[0], found, (tables.key_upper, high), (tables.key_lower, low))
        key = [*key[1:], key[0]]
        _mix(state, key[3], mixed)
        _absorb(state[0], found, (tables.upper, high), (tables.lower, low))
        state = [*state[1:], state[0]]
    return np.stack(state[::-1], axis=1)


def _mix(words: list[Column], last: Column | np.uint32, mixed: Column) -> None:
    """mixed = words 1 ^ 2 ^ 3 ^ last."""
    np.bitwise_xor(words[1], words[2], out=mixed)
    np.bitwise_xor(mixed, words[3], out=mixed)
    np.bitwise_xor(mixed, last, out=mixed)


def _absorb(word: Column, found: Column, *lookups: tuple[Column, NDArray[np.uint16]]) -> None:
    """word ^= table[index] for each table; the indices fit, so wrapping only saves numpy its check."""
    for table, index in lookups:
        np.take(table, index, out=found, mode="wrap")
        np.bitwise_xor(word, found, out=word)


@cache
def _tables() -> _Tables:
    box = np.frombuffer(_S_BOX, np.uint8).astype(np.uint32)
    pairs = np.arange(1 << 16)
    substituted = box[pairs >> 8] << np.uint32(8) | box[pairs & 0xFF]
    upper = substituted << np.uint32(16)
    return _Tables(_linear(upper), _linear(substituted), _linear_key(upper), _linear_key(substituted))


@cache
def _round_constants() -> tuple[np.uint32, ...]:
    """CK: byte j of constant i is 7·(4·i + j) mod 256."""
    rows = (bytes(7 * (4 * row + place) % 256 for place in range(4)) for row in range(_ROUNDS))
    return tuple(np.uint32(int.from_bytes(row, "big")) for row in rows)


def _linear(word: Column) -> Column:
    turned: Column = word ^ _turn(word, 2) ^ _turn(word, 10) ^ _turn(word, 18) ^ _turn(word, 24)
    return turned


def _linear_key(word: Column) -> Column:
    turned: Column = word ^ _turn(word, 13) ^ _turn(word, 23)
    return turned


def _turn(word: Column, places: int) -> Column:
    turned: Column = word << np.uint32(places) | word >> np.uint32(32 - places)
    return turned
