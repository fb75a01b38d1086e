"""Fixtures of the audit tests: a chain with rows, a node's encryption machine, a folder of heads."""

from __future__ import annotations

import shutil

import pytest

from sheka.foundation.crypto.sm2 import generate_private, public_of, sign
from sheka.office.audit import heads, jobs
from sheka.office.audit.trail import head, record


class Machine:
    """A key that signs as the encryption machine's device key does (SM2, default identity)."""

    def __init__(self):
        self.private = generate_private()
        self.public = public_of(self.private)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def public_key(self):
        return self.public

    def sign(self, message):
        return sign(self.private, message)


@pytest.fixture
def machine(monkeypatch):
    """The machine that signs this test's heads; the node's folder of heads is empty before and after."""
    found = Machine()
    for module in (heads, jobs):
        monkeypatch.setattr(module, "signing_machine", lambda: found)
    shutil.rmtree(heads.folder_of_heads(), ignore_errors=True)
    yield found
    shutil.rmtree(heads.folder_of_heads(), ignore_errors=True)


@pytest.fixture
def trail(installer, tree):
    for number in range(5):
        record(installer, "test.event", f"thing:{number}", number=number, text="中文 ‘quoted’")
    return head()
