"""Merkle trees: every leaf can be proved, nothing else can, and the shape is RFC 6962's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheka.foundation.crypto.merkle import includes, leaf_hash, proof_of, root_of
from sheka.foundation.crypto.sm3 import sm3

LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=40)


def plain(leaves):
    """The definition of RFC 6962 §2.1, word by word."""
    if len(leaves) == 1:
        return sm3(b"\x00" + leaves[0])
    half = max(power for power in (1, 2, 4, 8, 16, 32) if power < len(leaves))
    return sm3(b"\x01" + plain(leaves[:half]) + plain(leaves[half:]))


@given(LEAVES)
@settings(max_examples=60)
def test_the_root_is_the_one_of_the_definition(leaves):
    assert root_of(iter(leaves)) == plain(leaves)


def test_the_tree_of_nothing():
    assert root_of([]) == sm3(b"")


@given(LEAVES, st.data())
@settings(max_examples=60)
def test_each_leaf_is_proved_at_its_place_and_at_no_other(leaves, data):
    place = data.draw(st.integers(0, len(leaves) - 1))
    root, proof = root_of(leaves), proof_of(leaves, place)
    assert includes(root, len(leaves), place, leaves[place], proof)
    assert not includes(root, len(leaves), place, leaves[place] + b"x", proof)
    assert not includes(root, len(leaves), len(leaves), leaves[place], proof)
    other = data.draw(st.integers(0, len(leaves) - 1))
    if leaves[other] != leaves[place]:
        assert not includes(root, len(leaves), other, leaves[place], proof)
    if proof:
        assert not includes(root, len(leaves), place, leaves[place], proof[:-1])
    assert not includes(root, len(leaves), place, leaves[place], [*proof, bytes(32)])


def test_a_node_does_not_pass_for_a_leaf():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert root_of([left + right]) != root_of([b"a", b"b"])


@pytest.mark.parametrize("place", [-1, 3])
def test_a_place_outside_the_tree(place):
    with pytest.raises(IndexError):
        proof_of([b"a", b"b", b"c"], place)
