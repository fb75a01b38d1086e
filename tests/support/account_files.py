"""Files of deposits, and people whose accounts the tests of accounts use."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.approvals import POLICY

from sheka.systems.accounts.deposit_file import Header, render

CITY = "460100"


def deposit_file(lines: Iterable[tuple[str, int, str]], number: str = "M1", *, packed: bool = False) -> bytes:
    """A whole file of Haikou's fund 310; `lines`: account number, fen, reference."""
    content = b"".join(render(Header(CITY, "310", "310", "202611", number), lines))
    return gzip.compress(content) if packed else content


def policy_copy(folder: Path, monkeypatch: Any, name: str, old: str, new: str) -> None:
    """From now on the policy is a copy with one line of a file changed, here and in processes that are started."""
    made = folder / "policy"
    shutil.copytree(POLICY, made)
    text = (made / name).read_text("utf-8")
    assert old in text
    (made / name).write_text(text.replace(old, new), "utf-8")
    monkeypatch.setenv("SHEKA_POLICY", str(made))
