"""Shared by the tests of the foundation: a check of refusals that reads their sentences, and patient properties."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from string import Formatter

import pytest
from hypothesis import settings

from sheka.foundation.refusals import Code, Refused, sentence

settings.register_profile("foundation", deadline=None, max_examples=60)
settings.load_profile("foundation")

RefusedBy = Callable[[Code], AbstractContextManager[list[Refused]]]


@pytest.fixture(scope="session")
def refused_by() -> RefusedBy:
    """`with refused_by(Code.X) as found:` the block is refused with that code, and every placeholder has its fact."""

    @contextmanager
    def check(code: Code) -> Iterator[list[Refused]]:
        found: list[Refused] = []
        with pytest.raises(Refused) as caught:
            yield found
        assert caught.value.code is code
        written = sentence(code)
        for template in (written.zh, written.en, written.zh_do, written.en_do):
            needed = {name for _, name, _, _ in Formatter().parse(template) if name}
            assert needed <= caught.value.facts.keys(), f"{code.name} lacks {needed - caught.value.facts.keys()}"
        found.append(caught.value)

    return check
