"""The working verbs over keys in a token (H5, C1, K2): `work.Work`, with other keys under the formulae.

A key as it is works in the token. Card keys, the children of a working key by the cards' factors, are in this process
for the time of one batch: PKCS#11 has no mechanism for the cards' MACs, TACs and wrapped keys, and a batch must stay
one call. They are overwritten after it, as in the software machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from sheka.equipment.encryption_machine import formulae
from sheka.equipment.encryption_machine.formulae import Keys, Octets
from sheka.equipment.encryption_machine.keystore import StoredKey
from sheka.equipment.encryption_machine.model import KeyInfo
from sheka.equipment.encryption_machine.pkcs11.keystore import TokenKeyStore
from sheka.equipment.encryption_machine.wire import Batch
from sheka.equipment.encryption_machine.work import Work
from sheka.foundation.chip.authentication import initial_value
from sheka.foundation.crypto.mac import COMMAND_MAC_BYTES


@dataclass(frozen=True, slots=True)
class TokenKey(Keys):
    """One key of the token for all items; `raw` is empty."""

    info: KeyInfo
    store: TokenKeyStore

    def encrypt(self, blocks: bytes) -> bytes:
        return self.store.encrypt(self.info, blocks)

    def write_key(self, challenge: bytes, key_id: int, version: int, key: bytes) -> bytes:
        head = bytes((key_id, version, self.algorithm)) + self.encrypt(key)
        return head + formulae.macs(self, Batch.of([head]), initial_value(self.algorithm, challenge))

    def as_one(self) -> Keys:
        return self

    @property
    def chain_from(self) -> int:
        return 0

    def chain(self, text: Octets, state: Octets) -> Octets:
        columns = [text[:, place].tobytes() for place in range(text.shape[1])]
        last = self.store.chain(self.info, state.tobytes(), columns)
        return np.frombuffer(last, np.uint8).reshape(state.shape)


class TokenWork(Work):
    """`Work` over a token's keys."""

    def __init__(self, keys: TokenKeyStore) -> None:
        super().__init__(keys)
        self._token_store = keys

    @contextmanager
    def _shared(self, stored: StoredKey) -> Iterator[Keys]:
        yield self._key(stored)

    def _children(self, stored: StoredKey, factors: bytes) -> bytes:
        return self._token_store.children(stored.info, factors)

    def _macs_under(self, stored: dict[int, StoredKey], place_of: tuple[int, ...], messages: Batch) -> bytes:
        texts = messages.items()
        found = np.zeros((len(texts), COMMAND_MAC_BYTES), np.uint8)
        for place, each in stored.items():
            items = [item for item, chosen in enumerate(place_of) if chosen == place]
            macs = formulae.macs(self._key(each), Batch.of(texts[item] for item in items), None)
            found[items] = np.frombuffer(macs, np.uint8).reshape(-1, COMMAND_MAC_BYTES)
        return found.tobytes()

    def _key(self, stored: StoredKey) -> TokenKey:
        return TokenKey(stored.info.algorithm, b"", shared=True, info=stored.info, store=self._token_store)
