"""Files of deposits, and people whose accounts the tests of accounts use."""

from __future__ import annotations

import gzip
from collections.abc import Iterable

from sheka.systems.accounts.deposit_file import Header, render

CITY = "460100"


def deposit_file(lines: Iterable[tuple[str, int, str]], number: str = "M1", *, packed: bool = False) -> bytes:
    """A whole file of Haikou's fund 310; `lines`: account number, fen, reference."""
    content = b"".join(render(Header(CITY, "310", "310", "202611", number), lines))
    return gzip.compress(content) if packed else content
