"""Merkle trees over SM3 with proofs of inclusion, shaped as RFC 6962 §2.1: many rows under one root (design §2.4).

A leaf is hashed with the prefix 00, a node with 01, so that no node passes for a leaf; the tree of n leaves splits at
the largest power of two below n.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sheka.foundation.crypto.sm3 import sm3

_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(data: bytes) -> bytes:
    """The hash (32 bytes) of a leaf."""
    return sm3(_LEAF + data)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root (32 bytes) over the data of the leaves in their order; SM3 of nothing for none.

    Keeps one hash for each bit of the number of leaves, however many there are.

    >>> root_of([b"a"]) == leaf_hash(b"a")
    True
    """
    peaks: list[tuple[int, bytes]] = []  # (leaves below, hash), the largest first
    for data in leaves:
        size, made = 1, leaf_hash(data)
        while peaks and peaks[-1][0] == size:
            made = _node(peaks.pop()[1], made)
            size *= 2
        peaks.append((size, made))
    if not peaks:
        return sm3(b"")
    _, found = peaks.pop()
    while peaks:
        found = _node(peaks.pop()[1], found)
    return found


def proof_of(leaves: Sequence[bytes], place: int) -> list[bytes]:
    """The neighbours (32 bytes each) from the leaf at `place` (from 0) up to the root: RFC 6962 §2.1.1.

    Raises IndexError for a place that is not in the tree.
    """
    if not 0 <= place < len(leaves):
        raise IndexError(place)
    if len(leaves) == 1:
        return []
    half = _split(len(leaves))
    if place < half:
        return [*proof_of(leaves[:half], place), root_of(leaves[half:])]
    return [*proof_of(leaves[half:], place - half), root_of(leaves[:half])]


def includes(root: bytes, size: int, place: int, data: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `size` leaves with this root has `data` at `place`, as the proof says: RFC 9162 §2.1.3.2.

    >>> leaves = [b"a", b"b", b"c"]
    >>> includes(root_of(leaves), 3, 2, b"c", proof_of(leaves, 2))
    True
    """
    if not 0 <= place < size:
        return False
    here, last, made = place, size - 1, leaf_hash(data)
    for neighbour in proof:
        if last == 0:
            return False
        if here % 2 or here == last:
            made = _node(neighbour, made)
            while here % 2 == 0 and here:
                here, last = here >> 1, last >> 1
        else:
            made = _node(made, neighbour)
        here, last = here >> 1, last >> 1
    return last == 0 and made == root


def _node(left: bytes, right: bytes) -> bytes:
    return sm3(_NODE + left + right)


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
