"""The software encryption machine: all verbs behind one door that checks the caller first (H5, K6).

This is the driver that ships. It holds no product type certificate (K4), so it is for development, demonstration and
test; production brings a certified device whose driver offers the same `call`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Protocol

from sheka import __version__
from sheka.equipment.encryption_machine.components import Components
from sheka.equipment.encryption_machine.entries import Entries
from sheka.equipment.encryption_machine.exchange import Exchange
from sheka.equipment.encryption_machine.gate import Gate
from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.keystore import KeyStore, now
from sheka.equipment.encryption_machine.model import (
    Backup,
    EntryKey,
    LogFinding,
    MachineInfo,
    Progress,
    SharesOffered,
    Verb,
)
from sheka.equipment.encryption_machine.pkcs11.objects import BOUND
from sheka.equipment.encryption_machine.records import Records
from sheka.equipment.encryption_machine.rights import Caller
from sheka.equipment.encryption_machine.vault import Vault
from sheka.equipment.encryption_machine.work import Work
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

MOST_LOG_LINES = 1000


class Driver(Protocol):
    """What the server needs of a machine: one door for all verbs, arguments and answers as `calls.CALLS` lists them."""

    refused_logins: int

    def call(self, caller: Caller, verb: Verb, arguments: list[Any]) -> Any: ...
    def close(self) -> None: ...


class SoftwareMachine:
    """Keys in sealed files, ciphers in this process. Safe for threads.

    Without a `sealing_secret` the store is opened by its custodians, and a new one is made by sharing it out.
    """

    driver = "software"
    product = "Sheka software encryption machine"

    def __init__(self, folder: Path, sealing_secret: bytes | None) -> None:
        self._vault = Vault(folder, sealing_secret)
        self._entries, self._gate = Entries(), Gate()
        self._started = now()
        self.refused_logins = 0
        self._alone: dict[Verb, Callable[..., Any]] = {
            Verb.UNSEAL: self._unseal,
            Verb.SEAL: self._seal,
            Verb.SHARE_OUT: self._share_out,
            Verb.CONFIRM_SHARES: self._confirm_shares,
            Verb.RESTORE: self._restore,
        }
        self._inside: Inside | None = None
        self._closed = False
        try:
            self._look_inside()
        except BaseException:
            self._vault.close()
            raise

    def close(self) -> None:
        """Forget the keys and give the folder free; a request that outlives this is refused."""
        self._closed = True
        self._leave()
        self._vault.close()

    def call(self, caller: Caller, verb: Verb, arguments: list[Any]) -> Any:
        """Carry out one verb for a caller, or refuse."""
        caller.need_verb(verb)
        alone = self._alone.get(verb)
        if alone is not None:
            with self._gate.alone():
                try:
                    return alone(caller, *arguments)
                finally:
                    self._look_inside()
        with self._gate.shared():
            if verb is Verb.DESCRIBE:
                return self._describe()
            if verb is Verb.ENTRY_KEY:
                return self._entry_key()
            if self._closed:
                raise Refused(Code.MACHINE_STOPPING)
            if self._inside is None:
                raise self._vault.refusal()
            return self._inside.verbs[verb](caller, *arguments)

    def _look_inside(self) -> None:
        """After whatever may have opened or sealed the store."""
        records = self._vault.records
        if records is None or self._closed:
            self._leave()
        elif self._inside is None:
            self._inside = self._opened(records)

    def _opened(self, records: Records) -> Inside:
        """What this driver does with an open store."""
        if records.get(BOUND) is not None:
            raise Refused(Code.MACHINE_OTHER_DRIVER, expected="pkcs11", got=self.driver)
        keys = KeyStore(records)
        return Inside(records, self._entries, self._vault, keys, Work(keys))

    def _leave(self) -> None:
        if self._inside is not None:
            self._inside.components.forget()
            self._inside = None

    def _describe(self) -> MachineInfo:
        vault, inside = self._vault, self._inside
        progress, sharing = vault.progress, vault.sharing
        seal: dict[str, Any] = {
            "sealed": progress.sealed,
            "threshold": progress.needed,
            "holders": 0 if sharing is None else len(sharing.commitments),
            "presented": progress.presented,
            "came": vault.came,
        }
        return MachineInfo(
            product=self.product,
            version=__version__,
            certificate="",
            refused_logins=self.refused_logins,
            started=self._started,
            driver=self.driver,
            algorithms=tuple(algorithm.name for algorithm in Algorithm),
            **(Inside.NOTHING if inside is None else inside.facts()),
            **seal,
        )

    def _entry_key(self) -> EntryKey:
        return self._entries.issue()

    def _unseal(self, caller: Caller, holder: int, entry: bytes, sealed: bytes) -> Progress:
        text = self._entries.open(entry, sealed)
        try:
            return self._vault.present(caller.name, holder, text)
        finally:
            wipe(text)

    def _seal(self, caller: Caller) -> Progress:
        return self._vault.seal(caller.name)

    def _share_out(self, caller: Caller, threshold: int, receivers: list[bytes]) -> SharesOffered:
        return self._vault.offer(caller.name, threshold, receivers)

    def _confirm_shares(self, caller: Caller, offered: bytes) -> Progress:
        return self._vault.confirm(caller.name, offered)

    def _restore(self, caller: Caller, content: bytes) -> Progress:
        return self._vault.restore(caller.name, content)


class Inside:
    """What there is while the store is open: keys, peers, work, and the entries of components under way."""

    NOTHING: ClassVar[dict[str, Any]] = {"fingerprint": "", "keys": 0, "log_entries": 0, "log_head": ""}

    def __init__(self, records: Records, entries: Entries, vault: Vault, keys: KeyStore, work: Work) -> None:
        self._records, self._entries, self._vault, self._keys, self._work = records, entries, vault, keys, work
        self._exchange = Exchange(records, keys)
        self.components = Components(records, keys)
        self.verbs = self._table()

    def facts(self) -> dict[str, Any]:
        """Its part of the machine's description."""
        journal = self._records.journal
        with self._records.lock:
            return {
                "fingerprint": self._exchange.fingerprint,
                "keys": len(self._keys),
                "log_entries": journal.count,
                "log_head": journal.head,
            }

    def _table(self) -> dict[Verb, Callable[..., Any]]:
        keys, work, exchange, components = self._keys, self._work, self._exchange, self.components
        return {
            Verb.LIST_KEYS: keys.list_keys,
            Verb.KEY: keys.key,
            Verb.GENERATE: keys.generate,
            Verb.DERIVE: keys.derive,
            Verb.DESTROY: keys.destroy,
            Verb.CHECK_VALUES: work.check_values,
            Verb.CRYPTOGRAMS: work.cryptograms,
            Verb.INTERNAL_AUTHENTICATION: work.internal_authentication,
            Verb.EXTERNAL_AUTHENTICATION: work.external_authentication,
            Verb.CARD_AUTHENTICATION_CODES: work.card_authentication_codes,
            Verb.MACS: work.macs,
            Verb.MACS_OF: work.macs_of,
            Verb.VERIFY_MACS: work.verify_macs,
            Verb.VERIFY_DIVERSIFIED_MACS: work.verify_diversified_macs,
            Verb.WRAP_FOR_CHIPS: work.wrap_for_chips,
            Verb.WRAP_FOR_CHIP: work.wrap_for_chip,
            Verb.WRAP_DIVERSIFIED: work.wrap_diversified,
            Verb.WRAP_FOR_LINE: work.wrap_for_line,
            Verb.VERIFY_TACS: work.verify_tacs,
            Verb.MAC1: work.mac1,
            Verb.VERIFY_MAC2: work.verify_mac2,
            Verb.VERIFY_MAC1: work.verify_mac1,
            Verb.PIN_VALUES: work.pin_values,
            Verb.VERIFY_PINS: work.verify_pins,
            Verb.TRANSLATE_PINS: work.translate_pins,
            Verb.PUBLIC_KEY: exchange.public_key,
            Verb.SIGN: exchange.sign,
            Verb.EXPORT_ENVELOPE: exchange.export_envelope,
            Verb.IMPORT_ENVELOPE: exchange.import_envelope,
            Verb.REGISTER_PEER: exchange.register_peer,
            Verb.PEERS: exchange.peers,
            Verb.REMOVE_PEER: exchange.remove_peer,
            Verb.VERIFY_LOG: self._verify_log,
            Verb.LOG: self._log,
            Verb.BACK_UP: self._back_up,
            Verb.BEGIN_COMPONENTS: components.begin,
            Verb.ENTER_COMPONENT: self._enter_component,
            Verb.FINISH_COMPONENTS: components.finish,
            Verb.CANCEL_COMPONENTS: components.cancel,
            Verb.GENERATE_COMPONENTS: components.generate,
        }

    def _enter_component(self, caller: Caller, ref: str, part: int, entry: bytes, sealed: bytes) -> str:
        text = self._entries.open(entry, sealed)
        try:
            return self.components.enter(caller, ref, part, text)
        finally:
            wipe(text)

    def _back_up(self, caller: Caller, threshold: int, receivers: list[bytes]) -> Backup:
        return Backup(*self._vault.back_up(caller.name, threshold, receivers, now(), self._exchange.fingerprint))

    def _verify_log(self, caller: Caller) -> LogFinding:
        with self._records.lock:
            return self._records.journal.verify()

    def _log(self, caller: Caller, first: int, most: int) -> list[str]:
        return self._records.journal.lines(max(first, 1), min(most, MOST_LOG_LINES))
