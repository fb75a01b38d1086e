"""One-time keys for sealed entries (K6): each opens one share or component, once, within ten minutes."""

from __future__ import annotations

import secrets
import threading
import time

from cryptography.hazmat.primitives.asymmetric import ec

from sheka.equipment.encryption_machine.model import EntryKey
from sheka.equipment.encryption_machine.sealed_entry import ENTRY_BYTES, new_key, open_with
from sheka.foundation.refusals import Code, Refused

SECONDS = 600.0
MOST = 256


class Entries:
    """The keys given out and not yet used. They live in memory only: a restart voids them."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._keys: dict[bytes, tuple[float, ec.EllipticCurvePrivateKey]] = {}

    def issue(self) -> EntryKey:
        """A fresh key; `MACHINE_ENTRIES_FULL` while too many wait."""
        private, public = new_key()
        now = time.monotonic()
        with self._lock:
            self._keys = {entry: found for entry, found in self._keys.items() if found[0] > now}
            if len(self._keys) >= MOST:
                raise Refused(Code.MACHINE_ENTRIES_FULL, limit=MOST)
            entry = secrets.token_bytes(ENTRY_BYTES)
            self._keys[entry] = (now + self._seconds, private)
        return EntryKey(entry, public)

    def open(self, entry: bytes, sealed: bytes) -> bytes:
        """What was sealed to a key, which is gone afterwards, whatever it was."""
        with self._lock:
            until, private = self._keys.pop(entry, (0.0, None))
        if private is None or until <= time.monotonic():
            raise Refused(Code.MACHINE_ENTRY_UNKNOWN)
        return open_with(private, entry, sealed)
