"""The software encryption machine: all verbs behind one door that checks the caller first (H5, K6).

This is the driver that ships. It holds no product type certificate (K4), so it is for development, demonstration and
test; production brings a certified device whose driver offers the same `call`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from sheka import __version__
from sheka.equipment.encryption_machine.exchange import Exchange
from sheka.equipment.encryption_machine.keystore import KeyStore, now
from sheka.equipment.encryption_machine.model import LogFinding, MachineInfo, Verb
from sheka.equipment.encryption_machine.records import Records
from sheka.equipment.encryption_machine.rights import Caller
from sheka.equipment.encryption_machine.work import Work

MOST_LOG_LINES = 1000


class Driver(Protocol):
    """What the server needs of a machine: one door for all verbs, arguments and answers as `calls.CALLS` lists them."""

    refused_logins: int

    def call(self, caller: Caller, verb: Verb, arguments: list[Any]) -> Any: ...
    def close(self) -> None: ...


class SoftwareMachine:
    """Keys in sealed files, ciphers in this process. Safe for threads."""

    def __init__(self, folder: Path, sealing_secret: bytes) -> None:
        self._records = Records(folder, sealing_secret)
        self._keys = KeyStore(self._records)
        self._exchange = Exchange(self._records, self._keys)
        self._started = now()
        self.refused_logins = 0
        self._verbs = self._table()

    def close(self) -> None:
        """Forget the keys and give the folder free."""
        self._records.close()

    def call(self, caller: Caller, verb: Verb, arguments: list[Any]) -> Any:
        """Carry out one verb for a caller, or refuse."""
        caller.need_verb(verb)
        return self._verbs[verb](caller, *arguments)

    def _table(self) -> dict[Verb, Callable[..., Any]]:
        keys, work, exchange = self._keys, Work(self._keys), self._exchange
        return {
            Verb.DESCRIBE: self._describe,
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
            Verb.VERIFY_TACS: work.verify_tacs,
            Verb.MAC1: work.mac1,
            Verb.VERIFY_MAC2: work.verify_mac2,
            Verb.PUBLIC_KEY: exchange.public_key,
            Verb.SIGN: exchange.sign,
            Verb.EXPORT_ENVELOPE: exchange.export_envelope,
            Verb.IMPORT_ENVELOPE: exchange.import_envelope,
            Verb.REGISTER_PEER: exchange.register_peer,
            Verb.PEERS: exchange.peers,
            Verb.REMOVE_PEER: exchange.remove_peer,
            Verb.VERIFY_LOG: self._verify_log,
            Verb.LOG: self._log,
        }

    def _describe(self, caller: Caller) -> MachineInfo:
        journal = self._records.journal
        with self._records.lock:
            return MachineInfo(
                product="Sheka software encryption machine",
                version=__version__,
                certificate="",
                fingerprint=self._exchange.fingerprint,
                keys=len(self._keys),
                log_entries=journal.count,
                log_head=journal.head,
                refused_logins=self.refused_logins,
                started=self._started,
            )

    def _verify_log(self, caller: Caller) -> LogFinding:
        with self._records.lock:
            return self._records.journal.verify()

    def _log(self, caller: Caller, first: int, most: int) -> list[str]:
        return self._records.journal.lines(max(first, 1), min(most, MOST_LOG_LINES))
