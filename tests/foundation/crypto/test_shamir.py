"""Shares give the secret back from any t of them, and fewer tell nothing (K6)."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.crypto import shamir
from sheka.foundation.refusals import Code, Refused


@pytest.mark.req("K6")
@given(secret=st.binary(min_size=1, max_size=40), data=st.data())
def test_any_t_of_n_shares_give_the_secret_and_every_other_share(secret: bytes, data: st.DataObject) -> None:
    holders = data.draw(st.integers(2, shamir.MAX_HOLDERS))
    threshold = data.draw(st.integers(2, holders))
    shares = dict(enumerate(shamir.split(secret, threshold, holders), 1))
    chosen = data.draw(st.lists(st.sampled_from(sorted(shares)), min_size=threshold, max_size=holders, unique=True))
    found = {holder: shares[holder] for holder in chosen}
    assert shamir.combine(found) == secret
    for holder, share in shares.items():
        assert shamir.combine(found, holder) == share


def test_the_numbers_of_a_worked_example() -> None:
    """f(x) = 42 + 0B·x + 07·x² over the field of FIPS 197, by hand: f(1), f(2), f(3) give f(0) back."""
    f = {x: 0x42 ^ shamir.multiply(0x0B, x) ^ shamir.multiply(0x07, shamir.multiply(x, x)) for x in (1, 2, 3)}
    assert f == {1: 0x4E, 2: 0x48, 3: 0x44}
    assert shamir.combine({x: bytes((y,)) for x, y in f.items()}) == b"\x42"
    assert shamir.multiply(0x53, 0xCA) == 1


def test_one_share_fewer_says_nothing_about_the_secret() -> None:
    """With one share of two known, each of the 256 secrets is made by exactly one other share."""
    (first, _) = shamir.split(b"\x2a", 2, 2)
    secrets = Counter(shamir.combine({1: first, 2: bytes((other,))}) for other in range(256))
    assert set(secrets.values()) == {1}
    assert len(secrets) == 256


def test_every_nonzero_number_of_the_field_has_its_inverse() -> None:
    for value in range(1, 256):
        assert shamir.multiply(value, shamir._inverse(value)) == 1


@pytest.mark.parametrize(("threshold", "holders"), [(1, 3), (4, 3), (2, 17), (0, 0), (2, 1)])
def test_a_sharing_that_is_none_is_refused(threshold: int, holders: int) -> None:
    with pytest.raises(Refused) as refusal:
        shamir.split(bytes(32), threshold, holders)
    assert refusal.value.code is Code.MACHINE_SHARING_BAD


@pytest.mark.parametrize("shares", [{}, {0: b"x", 1: b"y"}, {1: b"xy", 2: b"y"}, {1: b"x", 300: b"y"}])
def test_shares_that_do_not_belong_together_are_refused(shares: dict[int, bytes]) -> None:
    with pytest.raises(Refused) as refusal:
        shamir.combine(shares)
    assert refusal.value.code is Code.MACHINE_SHARING_BAD


def test_a_commitment_is_of_one_share_of_one_holder_of_one_set() -> None:
    found = {
        shamir.commitment(context, holder, share)
        for context, holder, share in itertools.product((b"set 1", b"set 2"), (1, 2), (bytes(32), b"s" * 32))
    }
    assert len(found) == 8
