"""The store's folder and its seal (K6): new, sealed or open; unsealing by t of n, sharing out, restoring.

Only whoever holds the folder's lock is in it. A seal changes like a record: the new file beside the old one, the log
entry with its digest (from here it holds), the new file in place; an older seal put back by hand does not match the
log. While a store is being made from nothing a mark stands in the folder: a start that finds it clears what was half
made away.
"""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sheka.equipment.encryption_machine import backup, sealing
from sheka.equipment.encryption_machine.alarm import Alarm
from sheka.equipment.encryption_machine.files import (
    FolderLock,
    overwrite,
    own_folder,
    put_in_place,
    unusable,
    write_durable,
)
from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.model import Progress, SharesOffered, Verb
from sheka.equipment.encryption_machine.records import SEAL, Records
from sheka.equipment.encryption_machine.sealed_log import SealedLog
from sheka.equipment.encryption_machine.sealing import StoreKeys
from sheka.equipment.encryption_machine.shares import Gathering, Share, Sharing, share_out
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused

GATHERING_SECONDS = 900.0
"""How long presented shares wait for the others; each further holder begins the time anew."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A sharing whose shares are on their way; `keys` only for a store that is not made yet."""

    sharing: Sharing
    seal: bytes
    keys: StoreKeys | None


class Vault:
    """One store's folder. `records` is the open store, None while it is sealed or new.

    Parameters: `secret` opens (or makes) a store sealed under a secret in one hand; None: custodians come.
    """

    def __init__(self, folder: Path, secret: bytes | None, *, seconds: float = GATHERING_SECONDS) -> None:
        own_folder(folder)
        self._folder, self._path = folder, folder / sealing.NAME
        self._fresh, self._mark = folder / f"{sealing.NAME}.new", folder / "making"
        self._lock, self._closed = threading.RLock(), False
        self._hold = FolderLock(folder)
        self._events = SealedLog(folder / "sealed.jsonl")
        self._alarm = Alarm(seconds, self._expired)
        self.records: Records | None = None
        self.sharing: Sharing | None = None
        self._gathering: Gathering | None = None
        self._restoring: backup.Found | None = None
        self._offer: _Offer | None = None
        try:
            self._settle()
            self._begin(secret)
        except OSError as error:
            self._hold.release()
            raise unusable(folder, error) from None
        except BaseException:
            self._hold.release()
            raise

    def close(self) -> None:
        """Forget everything and give the folder free."""
        with self._lock:
            self._alarm.clear()
            self._forget_waiting()
            if self.records is not None:
                self.records.close()
            if not self._closed:
                self._closed = True
                self._hold.release()

    @property
    def came(self) -> tuple[int, ...]:
        """The holders whose shares wait for the others."""
        return () if self._gathering is None else self._gathering.came

    @property
    def progress(self) -> Progress:
        needed = 0 if self.sharing is None else self.sharing.threshold
        return Progress(needed if self.records else len(self.came), needed, self.records is None)

    def refusal(self) -> Refused:
        """What a sealed machine answers to work."""
        return Refused(Code.MACHINE_SEALED, presented=self.progress.presented, needed=self.progress.needed)

    # unsealing and sealing

    def present(self, caller: str, holder: int, text: bytes) -> Progress:
        """Take a holder's share; opens the store when it was the last one needed."""
        with self._lock:
            self._need_sealed()
            gathering = self._gathering
            if gathering is None:
                raise Refused(Code.MACHINE_SHARES_NONE)
            facts: dict[str, Any] = {"holder": holder, "set": gathering.sharing.set.hex()}
            try:
                fresh = gathering.add(Share.parse(text, holder))
            except Refused as refusal:
                self._events.note(caller, Verb.UNSEAL.name, {**facts, "refused": refusal.code.name})
                raise
            self._events.note(caller, Verb.UNSEAL.name, {**facts, "presented": len(gathering.came), "again": not fresh})
            secret = gathering.secret()
            if secret is None:
                if fresh:
                    self._alarm.set()
                return self.progress
            self._alarm.clear()
            holders = list(gathering.came)
            gathering.forget()
            try:
                self._unseal(caller, gathering.sharing, secret, holders)
            finally:
                wipe(secret)
            return self.progress

    def seal(self, caller: str) -> Progress:
        """Forget the keys; the custodians must come again."""
        with self._lock:
            records = self._need_open()
            if self.sharing is None:
                raise Refused(Code.MACHINE_SHARES_NONE)
            records.note(caller=caller, verb=Verb.SEAL.name, facts={"set": self.sharing.set.hex()})
            self._drop_offer()
            records.close()
            self.records, self._gathering = None, Gathering(self.sharing)
            return self.progress

    # sharing out

    def offer(self, caller: str, threshold: int, receivers: list[bytes]) -> SharesOffered:
        """Shares of a new secret. The seal stays as it is until `confirm`."""
        with self._lock:
            if self.records is None and (self.sharing is not None or self._restoring is not None):
                raise self.refusal()
            sharing, secret, sealed = share_out(threshold, receivers)
            self._drop_offer()
            keys = None if self.records is not None else StoreKeys.fresh()
            root = keys.root if keys is not None else self._need_open().root
            self._offer = _Offer(sharing, sealing.shared_seal(sharing, secret, root), keys)
            wipe(secret)
            self._note(caller, Verb.SHARE_OUT, _facts(sharing))
            return SharesOffered(sharing.set, sealed)

    def confirm(self, caller: str, offered: bytes) -> Progress:
        """Put the offered sharing in force: earlier shares and the sealing secret are void."""
        with self._lock:
            offer = self._offer
            if offer is None or offer.sharing.set != offered:
                raise Refused(Code.MACHINE_SHARES_NOT_OFFERED)
            self._offer = None
            if offer.keys is not None:
                self._make(offer.keys, {}, offer.sharing, offer.seal, caller, Verb.CONFIRM_SHARES, {})
            else:
                self._put_seal(self._need_open(), offer.seal, caller, Verb.CONFIRM_SHARES, _facts(offer.sharing))
                self.sharing = offer.sharing
            return self.progress

    # back-up

    def back_up(
        self, caller: str, threshold: int, receivers: list[bytes], made: str, fingerprint: str
    ) -> tuple[bytes, list[bytes]]:
        """(the wrapped store, its shares); logged first, so that the back-up knows of itself."""
        with self._lock:
            records = self._need_open()
            sharing, secret, sealed = share_out(threshold, receivers)
            try:
                with records.lock:
                    records.note(caller=caller, verb=Verb.BACK_UP.name, facts=_facts(sharing))
                    journal = records.journal
                    facts = {
                        "made": made,
                        "fingerprint": fingerprint,
                        "log_entries": journal.count,
                        "log_head": journal.head,
                    }
                    return backup.wrap(sharing, secret, facts, records.root, records.snapshot()), sealed
            finally:
                wipe(secret)

    def restore(self, caller: str, content: bytes) -> Progress:
        """Take a back-up into a new store; its holders present their shares as for unsealing."""
        with self._lock:
            if self.records is not None or (self.sharing is not None and self._restoring is None):
                raise Refused(Code.MACHINE_NOT_NEW)
            found = backup.read(content)
            self._forget_waiting()
            self._restoring, self.sharing, self._gathering = found, found.sharing, Gathering(found.sharing)
            self._events.note(caller, Verb.RESTORE.name, {**found.facts, **_facts(found.sharing)})
            return self.progress

    # inside

    def _begin(self, secret: bytes | None) -> None:
        if self._path.exists():
            self.sharing = sealing.sharing_of(self._path)
            if self.sharing is not None:
                self._gathering = Gathering(self.sharing)
            elif secret is None:
                raise Refused(Code.MACHINE_SECRET_MISSING, what=self._path.name, least=sealing.SECRET_BYTES)
            else:
                self._open(sealing.unseal(self._path, secret))
            return
        records = self._folder / "records"
        if (self._folder / "log.jsonl").exists() or (records.exists() and any(records.iterdir())):
            raise Refused(Code.MACHINE_STORE_DAMAGED, what=self._path.name)
        if secret is not None:
            records.mkdir(mode=0o700, exist_ok=True)
            self._open(sealing.create(self._path, secret))

    def _open(self, keys: StoreKeys) -> Records:
        records = Records(self._folder, keys)
        try:
            known = records.journal.targets.get(SEAL)
            if known is None and self.sharing is not None and self._restoring is None and self._path.exists():
                raise Refused(Code.MACHINE_STORE_DAMAGED, what="log.jsonl")
            if known is not None and self._path.exists() and sm3(self._path.read_bytes()).hex() != known:
                raise Refused(Code.MACHINE_STORE_DAMAGED, what=self._path.name)
            self._events.pour_into(records.journal)
        except BaseException:
            records.close()
            raise
        self.records = records
        return records

    def _unseal(self, caller: str, sharing: Sharing, secret: bytes, holders: list[int]) -> None:
        found = self._restoring
        if found is None:
            records = self._open(sealing.unseal_shared(self._path, sharing, secret))
            facts = {**_facts(sharing), "came": holders}
            records.note(caller=caller, verb="UNSEALED", facts=facts)
        else:
            keys, files = backup.unwrap(found, secret)
            seal = sealing.shared_seal(sharing, secret, keys.root)
            facts = {**found.facts, "came": holders}
            self._make(keys, files, sharing, seal, caller, Verb.RESTORE, facts)
            self._restoring = None
        self._gathering = None

    def _make(
        self,
        keys: StoreKeys,
        files: dict[str, bytes],
        sharing: Sharing,
        seal: bytes,
        caller: str,
        verb: Verb,
        facts: dict[str, Any],
    ) -> None:
        """A store from nothing (or from a back-up's files), with its seal: all of it or, after a crash, none."""
        try:
            write_durable(self._mark, b"")
            (self._folder / "records").mkdir(mode=0o700, exist_ok=True)
            for name, content in files.items():
                write_durable(self._folder / name, content)
            records = self._open(keys)
            self._put_seal(records, seal, caller, verb, {**facts, **_facts(sharing)})
            self._mark.unlink()
        except BaseException as error:
            if self.records is not None:
                self.records.close()
                self.records = None
            self._clear()
            if isinstance(error, OSError):
                raise unusable(self._folder, error) from None
            raise
        self.sharing = sharing

    def _put_seal(self, records: Records, seal: bytes, caller: str, verb: Verb, facts: dict[str, Any]) -> None:
        try:
            write_durable(self._fresh, seal)
        except OSError as error:
            raise unusable(self._folder, error) from None
        with records.lock:
            try:
                records.journal.append(caller, verb.name, SEAL, sm3(seal).hex(), facts)
            except BaseException:
                self._fresh.unlink(missing_ok=True)
                raise
        try:
            overwrite(self._path)
            put_in_place(self._fresh, self._path)
        except OSError as error:
            raise unusable(self._folder, error) from None

    def _settle(self) -> None:
        """After a crash: finish the change of the seal whose log entry was written, drop what was not finished."""
        if self._fresh.exists():
            if sm3(self._fresh.read_bytes()).hex() == self._logged_seal():
                put_in_place(self._fresh, self._path)
            else:
                self._fresh.unlink()
        if self._mark.exists():
            if self._path.exists():
                self._mark.unlink()
            else:
                self._clear()

    def _logged_seal(self) -> str:
        """The digest of the last seal in the log, which nobody can check yet: `_open` does."""
        digest = ""
        log = self._folder / "log.jsonl"
        for line in log.read_bytes().splitlines() if log.exists() else ():
            with suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                if entry["target"] == SEAL:
                    digest = entry["record"]
        return digest

    def _clear(self) -> None:
        """A store that was not finished goes; nobody was ever told that it is there."""
        shutil.rmtree(self._folder / "records", ignore_errors=True)
        for name in ("log.jsonl", sealing.NAME, f"{sealing.NAME}.new", "making"):
            (self._folder / name).unlink(missing_ok=True)

    def _expired(self) -> None:
        with self._lock:
            if self._gathering is not None and self._gathering.came:
                self._events.note("", "UNSEAL_EXPIRED", {"came": list(self.came)})
                self._gathering.forget()

    def _forget_waiting(self) -> None:
        if self._gathering is not None:
            self._gathering.forget()
        self._drop_offer()

    def _drop_offer(self) -> None:
        if self._offer is not None and self._offer.keys is not None:
            self._offer.keys.forget()
        self._offer = None

    def _note(self, caller: str, verb: Verb, facts: dict[str, Any]) -> None:
        if self.records is not None:
            with self.records.lock:
                self.records.note(caller=caller, verb=verb.name, facts=facts)
        else:
            self._events.note(caller, verb.name, facts)

    def _need_open(self) -> Records:
        if self.records is None:
            raise self.refusal()
        return self.records

    def _need_sealed(self) -> None:
        if self.records is not None:
            raise Refused(Code.MACHINE_NOT_SEALED)


def _facts(sharing: Sharing) -> dict[str, Any]:
    """What the log says of a sharing."""
    return {"set": sharing.set.hex(), "threshold": sharing.threshold, "holders": len(sharing.commitments)}
