"""Static files under addresses that change with their content, so that a browser may keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage

CHARACTERS = 10


class VersionedFiles(StaticFilesStorage):
    """`{% static %}` gives /static/console/console.js?v=1f2e…: another content, another address."""

    def url(self, name: str | None) -> str:
        """The address of a file; one that is not there stays without a version and answers 404."""
        address: str = super().url(name)
        version = _version(name or "")
        return f"{address}?v={version}" if version else address


@cache
def _version(name: str) -> str:
    found = finders.find(name)
    if not found:
        return ""
    return hashlib.sha256(Path(str(found)).read_bytes()).hexdigest()[:CHARACTERS]
