"""Keys entered in parts by several people (K6): XOR of n parts, or t of n by Shamir.

Each part comes as a sealed entry and stays in memory until all are there; then the key is made in one step or not at
all. A crash, the time limit and `cancel` lose the entry and no key. Nobody learns more than the check value of a part
and of the whole. Shamir parts lie on polynomials over GF(2^8) (`foundation.crypto.shamir`); parts beyond the threshold
must agree.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from sheka.equipment.encryption_machine.alarm import Alarm
from sheka.equipment.encryption_machine.hygiene import keep_off_swap, wipe
from sheka.equipment.encryption_machine.keystore import KeyStore, algorithm_of, random_key
from sheka.equipment.encryption_machine.model import KeyInfo, Verb
from sheka.equipment.encryption_machine.records import Records
from sheka.equipment.encryption_machine.rights import Caller
from sheka.equipment.encryption_machine.sealed_entry import entry_id_of, seal_for
from sheka.equipment.encryption_machine.shares import need_receivers, unwritten
from sheka.foundation.crypto import shamir
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.crypto.tdes import adjust_parity
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

SECONDS = 1800.0
MOST = 16
XOR, SHAMIR = "xor", "shamir"

_LENGTH = Term("应为32位十六进制数字", "it must have 32 hexadecimal digits")
_ZERO = Term("全部为零", "it is all zeros")
_DISAGREE = Term("各分量不一致", "the components do not agree with each other")
_WEAK = Term("合成的密钥是弱密钥", "the joint key is weak")


@dataclass(slots=True)
class _Entry:
    """A key on its way in: what it will be, and the parts that have come."""

    ref: str
    planned: KeyInfo
    scheme: str
    parts: int
    threshold: int
    until: float
    entered: dict[int, bytes] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        plan = self.planned
        named = {"name": plan.name, "version": plan.version, "owner": plan.owner, "entry": self.ref}
        return {**named, "scheme": self.scheme, "parts": self.parts, "threshold": self.threshold}


class Components:
    """The entries under way in an open machine; sealing it wipes them."""

    def __init__(self, records: Records, keys: KeyStore, *, seconds: float = SECONDS) -> None:
        self._records, self._keys, self._seconds = records, keys, seconds
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._alarm = Alarm(seconds, self._expire)

    def begin(
        self,
        caller: Caller,
        name: str,
        algorithm: int,
        usage: str,
        version: int,
        owner: str,
        diversified: int,
        movable: int,
        scheme: str,
        parts: int,
        threshold: int,
    ) -> str:
        needed = _threshold(scheme, parts, threshold)
        planned = self._keys.planned(caller, name, algorithm, usage, version, owner, diversified, movable)
        with self._lock:
            if len(self._entries) >= MOST:
                raise Refused(Code.MACHINE_ENTRIES_FULL, limit=MOST)
            entry = _Entry(secrets.token_hex(16), planned, scheme, parts, needed, time.monotonic() + self._seconds)
            self._note(caller, Verb.BEGIN_COMPONENTS, entry.facts)
            self._entries[entry.ref] = entry
            self._wait()
        return entry.ref

    def enter(self, caller: Caller, ref: str, part: int, text: bytes) -> str:
        """Take one part (opened already); its check value."""
        with self._lock:
            entry = self._entry(caller, ref)
            if not 1 <= part <= entry.parts or part in entry.entered:
                raise Refused(Code.MACHINE_COMPONENT_PART, part=part, parts=entry.parts)
            value = unwritten(text, KEY_BYTES)
            if not value or not any(value):
                raise Refused(Code.MACHINE_COMPONENT_WRONG, what=_ZERO if value else _LENGTH)
            check = check_value(entry.planned.algorithm, value).hex().upper()
            self._note(caller, Verb.ENTER_COMPONENT, {"entry": ref, "part": part, "check_value": check})
            keep_off_swap(value)
            entry.entered[part] = value
            return check

    def finish(self, caller: Caller, ref: str, expected: str) -> KeyInfo:
        """Join the parts: the key is there when this returns, and nothing of it when this refuses."""
        with self._lock:
            entry = self._entry(caller, ref)
            if len(entry.entered) < entry.threshold:
                raise Refused(Code.MACHINE_COMPONENTS_MISSING, entered=len(entry.entered), needed=entry.threshold)
            algorithm = entry.planned.algorithm
            key = _joined(entry)
            try:
                check = check_value(algorithm, key).hex().upper()
                if expected and expected.upper() != check:
                    raise Refused(Code.MACHINE_COMPONENTS_CHECK, got=check, expected=expected[:32])
                info = self._keys.enter(caller, entry.planned, key, entry.facts)
            finally:
                wipe(key)
            self._drop(entry)
            return info

    def cancel(self, caller: Caller, ref: str) -> str:
        """Wipe an entry."""
        with self._lock:
            entry = self._entry(caller, ref)
            self._note(caller, Verb.CANCEL_COMPONENTS, {"entry": ref, "entered": sorted(entry.entered)})
            self._drop(entry)
        return ref

    def generate(
        self, caller: Caller, algorithm: int, scheme: str, parts: int, threshold: int, receivers: list[bytes]
    ) -> list[bytes]:
        """Random parts for custodians; the key that they make is kept nowhere."""
        kind, needed = algorithm_of(algorithm), _threshold(scheme, parts, threshold)
        need_receivers(needed, parts, receivers)
        key = random_key(kind)
        values = shamir.split(key, needed, parts) if scheme == SHAMIR else _xor_parts(key, parts)
        texts = [value.hex(" ", 2).upper().encode() for value in values]
        facts = {
            "scheme": scheme,
            "threshold": needed,
            "check_values": [check_value(kind, value).hex().upper() for value in values],
            "check_value": check_value(kind, key).hex().upper(),
        }
        try:
            self._note(caller, Verb.GENERATE_COMPONENTS, facts)
            return [seal_for(to, entry_id_of(to), text) for to, text in zip(receivers, texts, strict=True)]
        finally:
            wipe(key, *values, *texts)

    def forget(self) -> None:
        """Wipe every entry."""
        with self._lock:
            self._alarm.clear()
            for entry in list(self._entries.values()):
                self._drop(entry)

    def _expire(self) -> None:
        with self._lock:
            for entry in [entry for entry in self._entries.values() if entry.until <= time.monotonic()]:
                self._drop(entry)
                self._note(None, "COMPONENTS_EXPIRED", {"entry": entry.ref, "entered": sorted(entry.entered)})
            self._wait()

    def _wait(self) -> None:
        """Until the oldest entry expires."""
        if self._entries:
            oldest = min(entry.until for entry in self._entries.values())
            self._alarm.set(max(0.0, oldest - time.monotonic()))

    def _entry(self, caller: Caller, ref: str) -> _Entry:
        entry = self._entries.get(ref)
        if entry is None or entry.until <= time.monotonic():
            raise Refused(Code.MACHINE_COMPONENTS_UNKNOWN)
        caller.need_key(entry.planned.usage, entry.planned.owner)
        return entry

    def _drop(self, entry: _Entry) -> None:
        wipe(*entry.entered.values())
        self._entries.pop(entry.ref, None)

    def _note(self, caller: Caller | None, verb: Verb | str, facts: dict[str, Any]) -> None:
        with self._records.lock:
            self._records.note(caller=caller.name if caller else "", verb=getattr(verb, "name", str(verb)), facts=facts)


def _threshold(scheme: str, parts: int, threshold: int) -> int:
    """How many parts it takes; `MACHINE_SHARING_BAD` when the scheme does not allow it."""
    needed = threshold or parts
    if scheme not in (XOR, SHAMIR) or (scheme == XOR and needed != parts):
        raise Refused(Code.MACHINE_SHARING_BAD, threshold=threshold, parts=parts)
    shamir.need_sharing(needed, parts)
    return needed


def _joined(entry: _Entry) -> bytes:
    """The key of the parts; 3DES with odd parity. `MACHINE_COMPONENT_WRONG` when they do not agree or it is weak."""
    if entry.scheme == SHAMIR:
        chosen = dict(sorted(entry.entered.items())[: entry.threshold])
        for part, value in entry.entered.items():
            if part not in chosen and shamir.combine(chosen, part) != value:
                raise Refused(Code.MACHINE_COMPONENT_WRONG, what=_DISAGREE)
        key = shamir.combine(chosen)
    else:
        key = _xor(list(entry.entered.values()))
    if entry.planned.algorithm is Algorithm.TDES:
        raw, key = key, adjust_parity(key)
        if raw is not key:
            wipe(raw)
    if not any(key) or (entry.planned.algorithm is Algorithm.TDES and key[:8] == key[8:]):
        wipe(key)
        raise Refused(Code.MACHINE_COMPONENT_WRONG, what=_WEAK)
    return key


def _xor_parts(key: bytes, parts: int) -> list[bytes]:
    free = [secrets.token_bytes(KEY_BYTES) for _ in range(parts - 1)]
    return [*free, _xor([key, *free])]


def _xor(values: list[bytes]) -> bytes:
    total = 0
    for value in values:
        total ^= int.from_bytes(value, "big")
    return total.to_bytes(KEY_BYTES, "big")
