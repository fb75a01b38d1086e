"""Sample cards in readers for the tests of the reading equipment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from sheka.equipment.card_reader.in_process import InProcessReader
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.chip.sample import SampleKeys, sample_card
from sheka.foundation.chip.storage import MemoryStorage
from sheka.foundation.crypto.algorithms import Algorithm

MakeCard = Callable[..., VirtualCard]


@cache
def _memory(algorithm: Algorithm, version: str, everything: bool) -> dict[str, bytes]:
    storage = MemoryStorage()
    sample_card(storage, algorithm=algorithm, version=version, everything=everything)
    content = storage.open()
    storage.close()
    return content


@pytest.fixture
def make_card() -> MakeCard:
    """A personalised sample card of its own, switched off; made once and copied, since making one takes 300 APDUs."""

    def make(algorithm: Algorithm = Algorithm.SM4, version: str = "2.00", everything: bool = False) -> VirtualCard:
        storage = MemoryStorage()
        storage.create(_memory(algorithm, version, everything))
        return VirtualCard(load_profile(), storage)

    return make


@pytest.fixture(params=[Algorithm.SM4, Algorithm.TDES], ids=["sm4", "tdes"])
def keys(request: pytest.FixtureRequest) -> SampleKeys:
    return SampleKeys(request.param)


@pytest.fixture
def session(make_card: MakeCard, keys: SampleKeys) -> Iterator[CardSession]:
    """An open session with a card of either algorithm, everything filled."""
    with CardSession(InProcessReader(make_card(keys.algorithm, everything=True))) as opened:
        yield opened
