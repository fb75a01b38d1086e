"""The machine's keys: made, derived, destroyed, found; attributes and rules of each (K1-K3, K6)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.model import KeyInfo, Usage, Verb
from sheka.equipment.encryption_machine.records import Record, Records
from sheka.equipment.encryption_machine.rights import ALWAYS_DIVERSIFIED, VERB_USAGES, Caller
from sheka.foundation.crypto.algorithms import FACTOR_BYTES, KEY_BYTES, Algorithm
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.crypto.tdes import adjust_parity
from sheka.foundation.refusals import Code, Refused

_KEY = "key-"
_WEAK_FACTORS = (bytes(FACTOR_BYTES), b"\xff" * FACTOR_BYTES)
_MAX_VERSION = 255


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key's information and its sealed record; `envelope` is the id of the envelope it came in, if any."""

    info: KeyInfo
    record: Record
    envelope: str


class KeyStore:
    """Keys over `Records`. Each method takes the caller and refuses what that caller or the key's usage forbids."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._keys: dict[str, StoredKey] = {}
        self._names: dict[tuple[str, int, str], str] = {}
        self._children: dict[tuple[str, str], KeyInfo] = {}
        self._envelopes: dict[str, str] = {}
        for record in records.all():
            if record.target.startswith(_KEY):
                self._remember(record)

    def __len__(self) -> int:
        return sum(not stored.info.destroyed for stored in self._keys.values())

    def list_keys(self, caller: Caller) -> list[KeyInfo]:
        """What the caller may see, oldest first."""
        with self._records.lock:
            found = [stored.info for stored in self._keys.values()]
        return [info for info in found if caller.may_see(info.usage, info.owner)]

    def key(self, caller: Caller, ref: str) -> KeyInfo:
        """One key's information."""
        info = self._stored(ref).info
        caller.need_key(info.usage, info.owner)
        return info

    def living(self, caller: Caller, ref: str, verb: Verb, usages: frozenset[Usage] | None = None) -> StoredKey:
        """A key that the caller may use for the verb, or the refusal that says why not."""
        stored = self._stored(ref)
        info = stored.info
        caller.need_key(info.usage, info.owner)
        if info.destroyed:
            raise Refused(Code.MACHINE_KEY_DESTROYED, ref=ref, when=info.destroyed)
        if info.usage not in (VERB_USAGES[verb] if usages is None else usages):
            raise Refused(Code.MACHINE_KEY_USAGE, usage=info.usage, verb=verb.name)
        return stored

    @contextmanager
    def opened(self, stored: StoredKey) -> Iterator[bytes]:
        """The key in clear, 16 bytes, overwritten when the block ends."""
        with self._records.revealed(stored.record) as key:
            yield key

    def generate(
        self,
        caller: Caller,
        name: str,
        algorithm: int,
        usage: str,
        version: int,
        owner: str,
        diversified: int,
        movable: int = 0,
    ) -> KeyInfo:
        """A new random key (3DES: odd parity, two different halves)."""
        return self._make(caller, self.planned(caller, name, algorithm, usage, version, owner, diversified, movable))

    def planned(
        self,
        caller: Caller,
        name: str,
        algorithm: int,
        usage: str,
        version: int,
        owner: str,
        diversified: int,
        movable: int,
    ) -> KeyInfo:
        """A key that is to be made here, everything but its value; refuses what could not be kept later."""
        kind, purpose = algorithm_of(algorithm), _usage(usage)
        caller.need_key(purpose, owner)
        info = _described(kind, name, purpose, version, owner)
        info = replace(
            info, diversified=bool(diversified) or purpose in ALWAYS_DIVERSIFIED, movable=_movable(movable, purpose)
        )
        with self._records.lock:
            self._need_new(info)
        return info

    def enter(self, caller: Caller, planned: KeyInfo, key: bytes, facts: dict[str, Any]) -> KeyInfo:
        """Keep a key that came in components; `facts` of the entry go into the log."""
        info = with_check_value(replace(planned, origin="entered", created=now()), key)
        return self._add(caller, Verb.FINISH_COMPONENTS, info, key, more=facts)

    def _make(self, caller: Caller, info: KeyInfo) -> KeyInfo:
        """Give a described key a random value."""
        key = random_key(info.algorithm)
        return self._add(caller, Verb.GENERATE, with_check_value(info, key), key)

    def derive(
        self,
        caller: Caller,
        parent_ref: str,
        factor: bytes,
        name: str,
        owner: str,
        usage: str,
        version: int,
        diversified: int,
    ) -> KeyInfo:
        """The sub-key of a DIVERSIFY key, kept inside."""
        purpose = _usage(usage)
        parent = self.living(caller, parent_ref, Verb.DERIVE)
        caller.need_key(purpose, owner or parent.info.owner)
        if len(factor) != FACTOR_BYTES:
            raise Refused(Code.MACHINE_INPUT_LENGTH, what="factor", expected=FACTOR_BYTES, got=len(factor))
        if factor in _WEAK_FACTORS:
            raise Refused(Code.MACHINE_FACTOR_WEAK)
        base = parent.info
        info = _described(base.algorithm, name or base.name, purpose, version or base.version, owner or base.owner)
        info = replace(
            info,
            parent=parent_ref,
            factor=factor.hex().upper(),
            origin="derived",
            diversified=bool(diversified) or purpose in ALWAYS_DIVERSIFIED,
        )
        return self._make_child(caller, parent, info)

    def _make_child(self, caller: Caller, parent: StoredKey, info: KeyInfo) -> KeyInfo:
        """Give a described sub-key its value: the parent's, diversified by its factor."""
        with self.opened(parent) as key:
            child = diversify(info.algorithm, key, bytes.fromhex(info.factor))
        return self._add(caller, Verb.DERIVE, with_check_value(info, child), child)

    def take_in(self, caller: Caller, info: KeyInfo, key: bytes, envelope: str, sender: str) -> KeyInfo:
        """A key out of an envelope; the same envelope once only, also after the key was destroyed."""
        caller.need_key(info.usage, info.owner)
        info = replace(info, ref=_new_ref(), origin="imported", parent="", created=now())
        return self._add(caller, Verb.IMPORT_ENVELOPE, info, key, envelope=envelope, sender=sender)

    def destroy(self, caller: Caller, ref: str) -> KeyInfo:
        """Wipe the key; its information stays, so that its name and version never mean another key."""
        with self._records.lock:
            stored = self.living(caller, ref, Verb.DESTROY)
            info = replace(stored.info, destroyed=now())
            self._commit(caller, Verb.DESTROY, info, b"", stored.envelope, {"name": info.name})
        return info

    def _stored(self, ref: str) -> StoredKey:
        stored = self._keys.get(ref)
        if stored is None:
            raise Refused(Code.MACHINE_KEY_UNKNOWN, ref=ref)
        return stored

    def _add(
        self,
        caller: Caller,
        verb: Verb,
        info: KeyInfo,
        key: bytes,
        *,
        envelope: str = "",
        sender: str = "",
        more: dict[str, Any] | None = None,
    ) -> KeyInfo:
        known = asdict(info) | {"envelope": envelope, "sender": sender} | (more or {})
        facts = {
            name: str(value)
            for name, value in known.items()
            if value not in ("", None) and name not in ("ref", "destroyed")
        }
        try:
            with self._records.lock:
                self._need_new(info, envelope)
                self._commit(caller, verb, info, key, envelope, facts)
        finally:
            wipe(key)
        return info

    def _need_new(self, info: KeyInfo, envelope: str = "") -> None:
        if envelope in self._envelopes:
            raise Refused(Code.MACHINE_ENVELOPE_REPLAYED, ref=self._envelopes[envelope])
        if (info.name, info.version, info.owner) in self._names:
            raise Refused(Code.MACHINE_KEY_EXISTS, name=info.name, version=info.version, owner=info.owner)
        twin = self._children.get((info.parent, info.factor)) if info.parent else None
        if twin is not None and (twin.usage, twin.diversified) != (info.usage, info.diversified):
            raise Refused(Code.MACHINE_KEY_PURPOSE_FIXED, usage=twin.usage, ref=twin.ref)

    def _commit(
        self, caller: Caller, verb: Verb, info: KeyInfo, key: bytes, envelope: str, facts: dict[str, Any]
    ) -> None:
        attributes = asdict(info) | {"algorithm": int(info.algorithm), "usage": str(info.usage), "envelope": envelope}
        record = self._records.commit(_KEY + info.ref, attributes, key, caller=caller.name, verb=verb.name, facts=facts)
        self._remember(record)

    def _remember(self, record: Record) -> None:
        attributes = dict(record.attributes)
        envelope = attributes.pop("envelope")
        attributes["algorithm"] = Algorithm(attributes["algorithm"])
        attributes["usage"] = Usage(attributes["usage"])
        info = KeyInfo(**attributes)
        self._keys[info.ref] = StoredKey(info, record, envelope)
        self._names[info.name, info.version, info.owner] = info.ref
        if info.parent:
            self._children.setdefault((info.parent, info.factor), info)
        if envelope:
            self._envelopes[envelope] = info.ref


def now() -> str:
    """The time as it stands in keys and log: UTC, ISO 8601, seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def need_naming(name: str, version: int, owner: str) -> None:
    """`MACHINE_KEY_NAMING` when a name, version or owner is not allowed."""
    for what, value, least in (("name", name, 1), ("owner", owner, 0)):
        if not least <= len(value) <= 64 or not value.isprintable():
            raise Refused(Code.MACHINE_KEY_NAMING, what=what, value=value[:64])
    if not 1 <= version <= _MAX_VERSION:
        raise Refused(Code.MACHINE_KEY_NAMING, what="version", value=version)


def _described(algorithm: Algorithm, name: str, usage: Usage, version: int, owner: str) -> KeyInfo:
    need_naming(name, version, owner)
    return KeyInfo(
        ref=_new_ref(),
        name=name,
        algorithm=algorithm,
        usage=usage,
        version=version,
        owner=owner,
        check_value="",
        created=now(),
    )


def with_check_value(info: KeyInfo, key: bytes) -> KeyInfo:
    """The description of a key whose value is known here."""
    return replace(info, check_value=check_value(info.algorithm, key).hex().upper())


def _new_ref() -> str:
    return secrets.token_hex(16)


def random_key(algorithm: Algorithm) -> bytes:
    """16 random bytes; 3DES: odd parity, two different halves."""
    while True:
        key = secrets.token_bytes(KEY_BYTES)
        if algorithm is Algorithm.TDES:
            key = adjust_parity(key)
            if key[:8] == key[8:]:
                continue
        return key


def _movable(asked: int, usage: Usage) -> bool:
    """Only of a DIVERSIFY key is it asked: working keys move in envelopes anyway."""
    if asked and usage is not Usage.DIVERSIFY:
        raise Refused(Code.MACHINE_KEY_NAMING, what="movable", value=usage)
    return bool(asked)


def algorithm_of(number: int) -> Algorithm:
    """The algorithm of a number on the line; `MACHINE_KEY_NAMING` for any other."""
    try:
        return Algorithm(number)
    except ValueError:
        raise Refused(Code.MACHINE_KEY_NAMING, what="algorithm", value=number) from None


def _usage(name: str) -> Usage:
    try:
        return Usage(name)
    except ValueError:
        raise Refused(Code.MACHINE_KEY_NAMING, what="usage", value=name[:64]) from None
