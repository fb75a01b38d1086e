"""The machine's keys in a token (K1-K3, K6): the descriptions in the sealed records, the values in the device.

How a value comes about and what is kept of it:

=====================  ===========================================================  ===========================
a key that was         is in the token                                              may leave
=====================  ===========================================================  ===========================
generated as a root    made by C_GenerateKey                                        never
derived from another   made by C_DeriveKey from its parent                          while its parent lives
generated otherwise,   made by C_DeriveKey from a cradle, a key object of its own   while cradle and record
imported               that can only derive, and a mask in the sealed record        are there
entered in parts       put in (C_UnwrapKey)                                         never, unless made movable
=====================  ===========================================================  ===========================

No object is ever extractable. What may leave is made once more, as a passing object that may be wrapped: that takes the
token, the log-in and, for a cradle, the machine's open records.

A change begins with a mark on the disk and ends by taking it away. The record decides: when the machine comes to the
token again, the objects of a marked key without a living record are removed, those with one are kept. Objects of which
the machine knows nothing it leaves alone; they may be somebody else's.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sheka.equipment.encryption_machine.files import own_folder, sync_folder, unusable, write_durable
from sheka.equipment.encryption_machine.formulae import pairs
from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.keystore import KeyStore, StoredKey
from sheka.equipment.encryption_machine.model import KeyInfo, Usage, Verb
from sheka.equipment.encryption_machine.pkcs11.objects import CRADLE, KEY, LEFT, Place, object_id
from sheka.equipment.encryption_machine.pkcs11.pool import Pool
from sheka.equipment.encryption_machine.records import Records
from sheka.equipment.encryption_machine.rights import Caller
from sheka.equipment.encryption_machine.work import may_leave
from sheka.foundation.crypto import ciphers
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm
from sheka.foundation.crypto.kcv import check_value_bytes
from sheka.foundation.refusals import Code, Refused

_HALF = KEY_BYTES // 2


class TokenKeyStore(KeyStore):
    """`KeyStore` whose values are in a token. One key is made or destroyed at a time."""

    def __init__(self, records: Records, pool: Pool, marks: Path) -> None:
        super().__init__(records)
        self._pool, self._marks = pool, marks
        self._changing = threading.RLock()
        self._under_way, self._made = "", False
        own_folder(marks)

    def tidy(self) -> None:
        """Finish in the token what a crash or a lost token cut off; what cannot be done now waits for the next time."""
        with self._changing, suppress(Refused):
            for mark in sorted(self._marks.iterdir()):
                if mark.name != self._under_way:
                    if not self._lives(mark.name):
                        self._pool.call("remove", bytes.fromhex(mark.name))
                    mark.unlink(missing_ok=True)

    @contextmanager
    def opened(self, stored: StoredKey) -> Iterator[bytes]:
        """The value of a key that may leave (into an envelope, into a PSAM); overwritten when the block ends."""
        info = stored.info
        base, data = self._origin(stored)
        value: bytes = self._pool.call("take_out", info.algorithm, base, data)
        try:
            yield value
        finally:
            wipe(value)

    def encrypt(self, info: KeyInfo, blocks: bytes) -> bytes:
        """ECB under a key as it is."""
        found: bytes = self._pool.call("encrypt", info.algorithm, object_id(info.ref, KEY), blocks)
        return found

    def chain(self, info: KeyInfo, state: bytes, columns: list[bytes]) -> bytes:
        """The last blocks of many messages' MACs, see `token.Token.chain`."""
        found: bytes = self._pool.call("chain", info.algorithm, bytes.fromhex(info.ref), state, columns)
        return found

    def children(self, info: KeyInfo, factors: bytes) -> bytes:
        """The diversified keys of a key for 8-byte factors, 16 bytes each, in this process.

        A level's key (DIVERSIFY) only derives: one passing object for each factor. A working key's only right is this
        encryption: one call for the whole batch.
        """
        call = "take_out" if info.usage is Usage.DIVERSIFY else "encrypt"
        found: bytes = self._pool.call(call, info.algorithm, object_id(info.ref, KEY), pairs(factors))
        return found

    def destroy(self, caller: Caller, ref: str) -> KeyInfo:
        """The record goes first, and with it every use; a token lost in between is tidied when it is back."""
        with self._changing:
            self.living(caller, ref, Verb.DESTROY)
            self._pool.call("about")
            with self._marked(ref):
                info = super().destroy(caller, ref)
                self._remove(ref, there=True)
                return info

    def _make(self, caller: Caller, info: KeyInfo) -> KeyInfo:
        algorithm, mask = info.algorithm, b""
        with self._held(info):
            if may_leave(info):
                mask = _mask()
                self._create("generate", algorithm, _place(info, CRADLE))
                self._derive(info, object_id(info.ref, CRADLE), mask)
            else:
                self._create("generate", algorithm, _place(info, KEY))
            return super()._add(caller, Verb.GENERATE, replace(info, check_value=self._check_value(info)), mask)

    def _make_child(self, caller: Caller, parent: StoredKey, info: KeyInfo) -> KeyInfo:
        with self._held(info):
            self._derive(info, object_id(parent.info.ref, KEY), pairs(bytes.fromhex(info.factor)))
            return super()._add(caller, Verb.DERIVE, replace(info, check_value=self._check_value(info)), b"")

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
        """A key whose value is known here: out of an envelope, or entered in parts."""
        try:
            with self._held(info, envelope):
                mask = self._put_in(info, key)
                found = self._check_value(info)
                if found != info.check_value:
                    raise Refused(Code.MACHINE_TOKEN_CHECK_VALUE, got=found, expected=info.check_value)
                return super()._add(caller, verb, info, mask, envelope=envelope, sender=sender, more=more)
        finally:
            wipe(key)

    def _put_in(self, info: KeyInfo, key: bytes) -> bytes:
        algorithm = info.algorithm
        if not may_leave(info):
            self._create("put_in", algorithm, _place(info, KEY), key)
            if _runs_on_left(info):
                self._create("put_in", algorithm, _place(info, LEFT), key[:_HALF] * 2)
            return b""
        cradle = secrets.token_bytes(KEY_BYTES)
        mask = ciphers.decrypt_ecb(algorithm, cradle, key)
        self._create("put_in", algorithm, _place(info, CRADLE), cradle)
        wipe(cradle)
        self._derive(info, object_id(info.ref, CRADLE), mask)
        return mask

    def _derive(self, info: KeyInfo, base: bytes, data: bytes) -> None:
        self._create("derive", info.algorithm, base, data, _place(info, KEY))
        if _runs_on_left(info):
            self._create("derive", info.algorithm, base, data[:_HALF] * 2, _place(info, LEFT))

    def _check_value(self, info: KeyInfo) -> str:
        length = check_value_bytes(info.algorithm)
        found: bytes = self._pool.call("check_value", info.algorithm, object_id(info.ref, KEY), length)
        return found.hex().upper()

    def _origin(self, stored: StoredKey) -> tuple[bytes, bytes]:
        """The object that begets a key's value, and from what."""
        info = stored.info
        if info.origin == "derived":
            if self._stored(info.parent).info.destroyed:
                raise Refused(Code.MACHINE_TOKEN_KEY_STAYS, name=info.name)
            return object_id(info.parent, KEY), pairs(bytes.fromhex(info.factor))
        with self._records.revealed(stored.record) as mask:
            if not mask:
                raise Refused(Code.MACHINE_TOKEN_KEY_STAYS, name=info.name)
            return object_id(info.ref, CRADLE), b"".join((mask[:_HALF], mask[_HALF:]))

    @contextmanager
    def _held(self, info: KeyInfo, envelope: str = "") -> Iterator[None]:
        """A key in the making: its objects go again unless its record came into force."""
        with self._changing:
            with self._records.lock:
                self._need_new(info, envelope)
            with self._marked(info.ref):
                self._made = False
                try:
                    yield
                except Exception:
                    if not self._lives(info.ref):
                        self._remove(info.ref, there=self._made)
                    raise
                self._unmark(info.ref)

    @contextmanager
    def _marked(self, ref: str) -> Iterator[None]:
        """A mark that is on the disk when the block begins; the block takes it away when nothing is left to do."""
        try:
            write_durable(self._marks / ref, b"")
            sync_folder(self._marks)
        except OSError as error:
            raise unusable(self._marks, error) from None
        self._under_way = ref
        try:
            yield
        finally:
            self._under_way = ""

    def _create(self, call: str, *arguments: Any) -> None:
        self._pool.call(call, *arguments)
        self._made = True

    def _remove(self, ref: str, *, there: bool) -> None:
        """Take a key's objects out of the token. The mark stays, for a later session to look again, when the token
        cannot be had, or shows nothing although objects must be `there`.
        """
        with suppress(Refused):
            if self._pool.call("remove", bytes.fromhex(ref)) or not there:
                self._unmark(ref)

    def _unmark(self, ref: str) -> None:
        (self._marks / ref).unlink(missing_ok=True)

    def _lives(self, ref: str) -> bool:
        record = self._records.get(f"key-{ref}")
        return record is not None and not record.attributes["destroyed"]


def _place(info: KeyInfo, part: int) -> Place:
    told = {KEY: "", LEFT: " left half", CRADLE: " cradle"}[part]
    label = f"{info.name} v{info.version}{' ' if info.owner else ''}{info.owner}{told}"
    begets = part == CRADLE or (part == KEY and info.usage is Usage.DIVERSIFY)
    return Place(object_id(info.ref, part), label, begets)


def _runs_on_left(info: KeyInfo) -> bool:
    """Whether MACs are made under the key as it is, which for 3DES takes its left half by itself."""
    return info.algorithm is Algorithm.TDES and (
        info.usage is Usage.WRAP or (info.usage is Usage.MAC and not info.diversified)
    )


def _mask() -> bytes:
    """What a generated key is derived from: two different halves, so that a 3DES key has them too."""
    while True:
        mask = secrets.token_bytes(KEY_BYTES)
        if mask[:_HALF] != mask[_HALF:]:
            return mask
