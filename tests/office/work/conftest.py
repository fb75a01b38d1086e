"""Two outlets and people who share a queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sheka.foundation.terms import Term
from sheka.office.work import kinds
from sheka.office.work.items import work_kind


@pytest.fixture(autouse=True)
def errand() -> Iterator[str]:
    """A kind of work that only these tests know."""
    work_kind("test.errand", Term("跑腿", "Errand"))
    yield "test.errand"
    del kinds._kinds["test.errand"]
