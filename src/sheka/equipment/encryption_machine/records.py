"""Sealed records on disk: each a file of its own, each change first in the log (K6). The base of the key store.

A record is one line of attributes in clear (JSON) and one line with the secret under SM4-GCM, the attributes bound as
additional data. A change goes: new file beside the old one, log entry with its digest (from here it holds), new file in
place. A start finishes what a crash cut off, drops what the log does not know, and refuses to run when a file does not
match the log: a record changed, exchanged, brought back or taken away by hand stops the machine (fail closed).
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sheka.equipment.encryption_machine.files import overwrite, put_in_place, unusable, write_durable
from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.journal import Journal
from sheka.equipment.encryption_machine.sealing import StoreKeys
from sheka.foundation.canonical import canonical
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.crypto.sm4 import GCM_NONCE_BYTES, decrypt_gcm, encrypt_gcm
from sheka.foundation.refusals import Code, Refused

SEAL = "seal"
"""The log's target for the seal itself, which is no record: `vault.py` keeps it."""

_SUFFIX, _FRESH = ".record", ".record.new"


@dataclass(frozen=True, slots=True)
class Record:
    """A record in memory: its attributes, and its secret still sealed."""

    target: str
    attributes: dict[str, Any]
    header: bytes
    nonce: bytes
    sealed: bytes


class Records:
    """All records of a folder that the vault holds, opened with its keys (which this forgets at its end). Safe for
    threads.
    """

    def __init__(self, folder: Path, keys: StoreKeys) -> None:
        self._folder = folder
        self.lock = threading.RLock()
        self._closed = False
        self._keys = keys
        with ExitStack() as opened:
            opened.callback(keys.forget)
            self._records_folder = folder / "records"
            self.journal = Journal(folder / "log.jsonl", self._keys.log)
            opened.callback(self.journal.close)
            self._records = self._load()
            if not self.journal.count:
                self.journal.append("", "CREATE", "", "", {})
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Forget the root keys."""
        with self.lock:
            self._closed = True
            self._records = {}
            self._opened.close()

    def all(self) -> list[Record]:
        """Every record, in the order in which the targets first came into the log."""
        with self.lock:
            self._need_open()
            return [self._records[target] for target in self.journal.targets if target != SEAL]

    def snapshot(self) -> dict[str, bytes]:
        """The store's files as they stand: the log and every record, by their paths in the folder."""
        with self.lock:
            self._need_open()
            files = {f"records/{target}{_SUFFIX}": _content(record) for target, record in self._records.items()}
            return {"log.jsonl": self.journal.content(), **files}

    @property
    def root(self) -> bytes:
        """The root key, to be wrapped anew. Not to be kept."""
        self._need_open()
        return self._keys.root

    def get(self, target: str) -> Record | None:
        return self._records.get(target)

    @contextmanager
    def revealed(self, record: Record) -> Iterator[bytes]:
        """The secret of a record, overwritten when the block ends."""
        self._need_open()
        secret = decrypt_gcm(self._keys.records, record.nonce, record.sealed, record.header)
        try:
            yield secret
        finally:
            wipe(secret)

    def commit(
        self,
        target: str,
        attributes: dict[str, Any],
        secret: bytes,
        *,
        caller: str,
        verb: str,
        facts: dict[str, Any],
    ) -> Record:
        """Put a record in force under `target` (a new one, or in place of the old), logged as the caller's change.

        When this returns the change survives a power cut; when it raises before the log entry nothing changed. Call it
        with `lock` held, after the checks that it depends on.
        """
        self._need_open()
        record = self._seal(target, attributes, secret)
        content = _content(record)
        path, fresh = self._path(target), self._path(target, _FRESH)
        try:
            write_durable(fresh, content)
        except OSError as error:
            raise unusable(self._folder, error) from None
        try:
            self.journal.append(caller, verb, target, sm3(content).hex(), facts)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        self._records[target] = record
        try:
            overwrite(path)
            put_in_place(fresh, path)
        except OSError as error:
            raise unusable(self._folder, error) from None
        return record

    def note(self, *, caller: str, verb: str, facts: dict[str, Any]) -> None:
        """Log something that changes no record (a key that left in an envelope)."""
        self._need_open()
        self.journal.append(caller, verb, "", "", facts)

    def _need_open(self) -> None:
        if self._closed:  # the root keys are overwritten: nothing may be sealed or opened with what is left of them
            raise Refused(Code.MACHINE_STOPPING)

    def _seal(self, target: str, attributes: dict[str, Any], secret: bytes) -> Record:
        header = canonical({"target": target, **attributes})
        nonce = secrets.token_bytes(GCM_NONCE_BYTES)
        return Record(target, attributes, header, nonce, encrypt_gcm(self._keys.records, nonce, secret, header))

    def _load(self) -> dict[str, Record]:
        targets = {target: digest for target, digest in self.journal.targets.items() if target != SEAL}
        names = {self._path(target).name for target in targets}
        try:
            for path in list(self._records_folder.iterdir()):
                if path.name.endswith(_FRESH):
                    self._settle(path)
                elif path.name not in names:
                    raise Refused(Code.MACHINE_STORE_DAMAGED, what=f"{path.name} is not in the log")
            return {target: self._read(target, digest) for target, digest in targets.items()}
        except OSError as error:
            raise unusable(self._folder, error) from None

    def _settle(self, fresh: Path) -> None:
        """After a crash: finish the change whose log entry was written, drop the one whose entry was not."""
        target = fresh.name.removesuffix(_FRESH)
        digest = self.journal.targets.get(target)
        if digest is not None and sm3(fresh.read_bytes()).hex() == digest:
            put_in_place(fresh, self._path(target))
        else:
            overwrite(fresh)
            fresh.unlink()

    def _read(self, target: str, digest: str) -> Record:
        path = self._path(target)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise Refused(Code.MACHINE_STORE_DAMAGED, what=f"{path.name} is missing") from None
        if sm3(content).hex() != digest:
            raise Refused(Code.MACHINE_STORE_DAMAGED, what=f"{path.name} is not the one in the log")
        header, sealed = content.split(b"\n")[:2]
        attributes = json.loads(header)
        blob = bytes.fromhex(sealed.decode())
        if attributes.pop("target") != target:
            raise Refused(Code.MACHINE_STORE_DAMAGED, what=path.name)
        record = Record(target, attributes, header, blob[:GCM_NONCE_BYTES], blob[GCM_NONCE_BYTES:])
        try:
            with self.revealed(record):
                return record
        except Refused:
            raise Refused(Code.MACHINE_STORE_DAMAGED, what=path.name) from None

    def _path(self, target: str, suffix: str = _SUFFIX) -> Path:
        return self._records_folder / f"{target}{suffix}"


def _content(record: Record) -> bytes:
    return record.header + b"\n" + (record.nonce + record.sealed).hex().encode() + b"\n"
