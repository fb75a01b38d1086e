"""The machine's daily work: cryptograms, authentication, MACs, wrapped keys, always in batches (H5, C1, K2).

Each verb opens its key, diversifies it for the whole batch in one cipher call, works, and overwrites what it opened. A
key never comes out: not in clear, and not as a cryptogram that is a sub-key (see `rights.VERB_USAGES`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np

from sheka.equipment.encryption_machine import formulae
from sheka.equipment.encryption_machine.formulae import Keys
from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.keystore import KeyStore, StoredKey
from sheka.equipment.encryption_machine.model import KeyInfo, PinFinding, Usage, Verb
from sheka.equipment.encryption_machine.rights import VALUING, WRAPPING, ZONING, Caller
from sheka.equipment.encryption_machine.wire import Batch
from sheka.foundation.crypto.algorithms import FACTOR_BYTES, KEY_BYTES, Algorithm, block_bytes
from sheka.foundation.crypto.diversify import diversify_many
from sheka.foundation.crypto.kcv import check_value_bytes, check_values_many
from sheka.foundation.crypto.mac import COMMAND_MAC_BYTES
from sheka.foundation.crypto.pin_block import ACCOUNT_DIGITS, make_pin_block, open_pin_block
from sheka.foundation.refusals import Code, Refused

_TAC_MESSAGE, _SETTLEMENT, _AMOUNTS = 30, 26, 12
_NO_KEY = (Code.MACHINE_KEY_UNKNOWN, Code.MACHINE_KEY_DESTROYED)


class Work:
    """The working verbs over a key store; arguments as `calls.CALLS` lists them, after the caller."""

    def __init__(self, keys: KeyStore) -> None:
        self._store = keys

    def check_values(self, caller: Caller, ref: str, factors: Batch) -> Batch:
        with self._each(caller, ref, Verb.CHECK_VALUES, factors, factors.count) as keys:
            return Batch(check_values_many(keys.algorithm, keys.raw), check_value_bytes(keys.algorithm))

    def cryptograms(self, caller: Caller, ref: str, factors: Batch | None, data: Batch) -> Batch:
        with self._keys(caller, ref, Verb.CRYPTOGRAMS, factors, data.count) as keys:
            block = block_bytes(keys.algorithm)
            for length in (data.width,) if data.width else data.lengths:
                if length % block:
                    raise Refused(Code.MACHINE_INPUT_LENGTH, what="data", expected=f"n·{block}", got=length)
            return formulae.encrypt_runs(keys, data)

    def internal_authentication(
        self, caller: Caller, ref: str, factors: Batch, sources: Batch, process_factors: Batch | None
    ) -> Batch:
        chosen = factors if process_factors is None else process_factors
        _need("source", sources, 8, sources.count)
        _need("process factor", chosen, 8, sources.count)
        with self._each(caller, ref, Verb.INTERNAL_AUTHENTICATION, factors, sources.count) as keys:
            return Batch(formulae.internal_responses(keys, chosen.raw, sources.raw), 8)

    def external_authentication(
        self, caller: Caller, ref: str, factors: Batch, challenges: Batch, sources: Batch | None
    ) -> Batch:
        chosen = challenges if sources is None else sources
        _need("challenge", challenges, 8, challenges.count)
        _need("source", chosen, 8, challenges.count)
        with self._each(caller, ref, Verb.EXTERNAL_AUTHENTICATION, factors, challenges.count) as keys:
            return Batch(formulae.external_cryptograms(keys, challenges.raw, chosen.raw), 8)

    def card_authentication_codes(self, caller: Caller, ref: str, factors: Batch, first12s: Batch) -> Batch:
        _need("first12", first12s, 12, first12s.count)
        with self._each(caller, ref, Verb.CARD_AUTHENTICATION_CODES, factors, first12s.count) as keys:
            return Batch(formulae.macs(keys, first12s, None), COMMAND_MAC_BYTES)

    def macs(self, caller: Caller, ref: str, factors: Batch | None, messages: Batch, ivs: Batch | None) -> Batch:
        return Batch(self._macs(caller, ref, Verb.MACS, factors, messages, ivs), COMMAND_MAC_BYTES)

    def verify_diversified_macs(
        self, caller: Caller, ref: str, factors: Batch | None, messages: Batch, given: Batch, ivs: Batch | None
    ) -> list[bool]:
        _count("macs", given, messages.count)
        found = self._macs(caller, ref, Verb.VERIFY_DIVERSIFIED_MACS, factors, messages, ivs)
        return formulae.equal(found, given)

    def macs_of(self, caller: Caller, refs: list[str], places: bytes, messages: Batch) -> Batch:
        """MACs under many keys; one key that may not be used refuses the batch."""
        found, missing = self._macs_of(caller, Verb.MACS_OF, refs, places, messages)
        for refusal in missing.values():
            raise refusal
        return Batch(found, COMMAND_MAC_BYTES)

    def verify_macs(self, caller: Caller, refs: list[str], places: bytes, messages: Batch, given: Batch) -> list[bool]:
        """An item whose key is unknown or destroyed is false, so that one of a batch does not stop the others."""
        _count("macs", given, messages.count)
        found, missing = self._macs_of(caller, Verb.VERIFY_MACS, refs, places, messages)
        right = formulae.equal(found, given)
        return [same and item not in missing for item, same in enumerate(right)] if missing else right

    def _macs_of(
        self, caller: Caller, verb: Verb, refs: list[str], places: bytes, messages: Batch
    ) -> tuple[bytes, dict[int, Refused]]:
        """MACs under each item's own key, and why items of unknown or destroyed keys have none (theirs are zeros)."""
        count = messages.count
        if len(places) != 2 * count:
            raise Refused(Code.MACHINE_INPUT_COUNT, what="refs", expected=count, got=len(places) // 2)
        place_of = struct.unpack(f">{count}H", places)
        if count and max(place_of) >= len(refs):
            raise Refused(Code.MACHINE_INPUT_COUNT, what="refs", expected=max(place_of) + 1, got=len(refs))
        stored: dict[int, StoredKey] = {}
        absent: dict[int, Refused] = {}
        for place in dict.fromkeys(place_of):
            try:
                stored[place] = self._store.living(caller, refs[place], verb)
                _need_way(stored[place].info, through_factor=False)
            except Refused as refusal:
                if refusal.code not in _NO_KEY:
                    raise
                absent[place] = refusal
        missing = {item: absent[place] for item, place in enumerate(place_of) if place in absent}
        if len(stored) == 1 and not absent:
            (only,) = stored.values()
            with self._shared(only) as keys:
                return formulae.macs(keys, messages, None), missing
        return self._macs_under(stored, place_of, messages), missing

    def _macs_under(self, stored: dict[int, StoredKey], place_of: tuple[int, ...], messages: Batch) -> bytes:
        texts = messages.items()
        found = np.zeros((len(texts), COMMAND_MAC_BYTES), np.uint8)
        for algorithm in Algorithm:
            items = [
                item
                for item, place in enumerate(place_of)
                if place in stored and stored[place].info.algorithm is algorithm
            ]
            if not items:
                continue
            with ExitStack() as stack:
                opened = {
                    place: stack.enter_context(self._store.opened(stored[place]))
                    for place in {place_of[item] for item in items}
                }
                raw = b"".join(opened[place_of[item]] for item in items)
            keys = Keys(algorithm, raw, shared=False)
            macs = formulae.macs(keys, Batch.of(texts[item] for item in items), None)
            wipe(raw)
            found[items] = _table(macs, COMMAND_MAC_BYTES)
        return found.tobytes()

    def wrap_for_chips(
        self, caller: Caller, refs: list[str], factors: Batch, kek_ref: str, kek_factors: Batch | None
    ) -> Batch:
        """Card by card, key by key: ECB under the chip's transport key ‖ check value."""
        count, each = factors.count, len(refs)
        with self._keys(caller, kek_ref, Verb.WRAP_FOR_CHIPS, kek_factors, count, WRAPPING) as kek:
            check = check_value_bytes(kek.algorithm)
            plain = np.empty((count, each, KEY_BYTES), np.uint8)
            answer = np.empty((count, each, KEY_BYTES + check), np.uint8)
            try:
                for place, ref in enumerate(refs):
                    with self._each(caller, ref, Verb.WRAP_FOR_CHIPS, factors, count) as keys:
                        _need_algorithm(keys, kek)
                        plain[:, place] = _table(keys.raw, KEY_BYTES)
                        answer[:, place, KEY_BYTES:] = _table(check_values_many(keys.algorithm, keys.raw), check)
                raw = plain.tobytes()
                wrapped = formulae.encrypt_runs(kek, Batch(raw, KEY_BYTES * each)) if raw else Batch(b"", KEY_BYTES)
                wipe(raw)
            finally:
                plain.fill(0)
            answer[:, :, :KEY_BYTES] = np.frombuffer(wrapped.raw, np.uint8).reshape(count, each, KEY_BYTES)
            return Batch(answer.tobytes(), KEY_BYTES + check)

    def wrap_for_chip(
        self,
        caller: Caller,
        refs: list[str],
        key_ids: bytes,
        versions: bytes,
        factor: bytes,
        kek_ref: str,
        kek_factor: bytes,
        challenge: bytes,
    ) -> Batch:
        """WRITE KEY data of one chip. An empty factor writes the keys themselves (a PSAM of their level)."""
        for what, octets in (("key_ids", key_ids), ("versions", versions)):
            if len(octets) != len(refs):
                raise Refused(Code.MACHINE_INPUT_COUNT, what=what, expected=len(refs), got=len(octets))
        answer = []
        with ExitStack() as stack:
            kek = stack.enter_context(self._keys(caller, kek_ref, Verb.WRAP_FOR_CHIP, _one(kek_factor), 1, WRAPPING))
            for ref, key_id, version in zip(refs, key_ids, versions, strict=True):
                with self._single(caller, ref, factor) as key:
                    _need_algorithm(key, kek)
                    answer.append(kek.write_key(challenge, key_id, version, key.raw))
        return Batch.of(answer)

    def wrap_diversified(self, caller: Caller, ref: str, factors: bytes, kek_ref: str, kek_factor: bytes) -> bytes:
        if len(factors) % FACTOR_BYTES:
            raise Refused(Code.MACHINE_INPUT_LENGTH, what="factors", expected="n·8", got=len(factors))
        many = Batch(factors, FACTOR_BYTES)
        with (
            self._keys(caller, kek_ref, Verb.WRAP_DIVERSIFIED, _one(kek_factor), 1, WRAPPING) as kek,
            self._each(caller, ref, Verb.WRAP_DIVERSIFIED, many, many.count) as keys,
        ):
            _need_algorithm(keys, kek)
            return kek.as_one().encrypt(keys.raw)

    def wrap_for_line(self, caller: Caller, ref: str, factors: Batch, kek_ref: str) -> Batch:
        """Keys of a line for their institution: ECB under its transport key ‖ check value. Both of one owner."""
        with (
            self._keys(caller, kek_ref, Verb.WRAP_FOR_LINE, None, 1, WRAPPING) as kek,
            self._each(caller, ref, Verb.WRAP_FOR_LINE, factors, factors.count) as keys,
        ):
            _need_algorithm(keys, kek)
            owners = [self._store.key(caller, each).owner for each in (ref, kek_ref)]
            if owners[0] != owners[1]:
                raise Refused(Code.MACHINE_OWNER_DENIED, caller=caller.name, owner=owners[0])
            check = check_value_bytes(keys.algorithm)
            answer = np.empty((factors.count, KEY_BYTES + check), np.uint8)
            answer[:, :KEY_BYTES] = _table(kek.encrypt(keys.raw), KEY_BYTES)
            answer[:, KEY_BYTES:] = _table(check_values_many(keys.algorithm, keys.raw), check)
            return Batch(answer.tobytes(), KEY_BYTES + check)

    def pin_values(
        self, caller: Caller, ref: str, factors: Batch, blocks: Batch, accounts: Batch, value_ref: str, cards: Batch
    ) -> Batch:
        """What is kept of each PIN, 4 bytes; nothing for what is no PIN block."""
        found = self._pin_values(caller, Verb.PIN_VALUES, ref, factors, blocks, accounts, value_ref, cards)
        return Batch.of(value or b"" for value in found)

    def verify_pins(
        self,
        caller: Caller,
        ref: str,
        factors: Batch,
        blocks: Batch,
        accounts: Batch,
        value_ref: str,
        cards: Batch,
        values: Batch,
    ) -> list[int]:
        """A finding for each block; every item costs the same, right or wrong."""
        _need("value", values, COMMAND_MAC_BYTES, blocks.count)
        found = self._pin_values(caller, Verb.VERIFY_PINS, ref, factors, blocks, accounts, value_ref, cards)
        same = formulae.equal(b"".join(value or bytes(COMMAND_MAC_BYTES) for value in found), values) if found else []
        return [
            int(PinFinding.NO_BLOCK if value is None else PinFinding.RIGHT if right else PinFinding.WRONG)
            for value, right in zip(found, same, strict=True)
        ]

    def translate_pins(
        self,
        caller: Caller,
        ref: str,
        factors: Batch,
        blocks: Batch,
        accounts: Batch,
        zone_ref: str,
        zone_factors: Batch,
    ) -> Batch:
        """PIN blocks for another machine, under children of a key that both hold; nothing for what is no PIN block."""
        count = blocks.count
        _need("account", accounts, ACCOUNT_DIGITS, count)
        _need("factor", zone_factors, FACTOR_BYTES, count)
        zone = self._store.living(caller, zone_ref, Verb.TRANSLATE_PINS, ZONING)
        pins = self._opened_pins(caller, Verb.TRANSLATE_PINS, ref, factors, blocks, accounts)
        raw = self._children(zone, zone_factors.raw) if count else b""
        try:
            under = Keys(zone.info.algorithm, raw, shared=False)
            each = zip(pins, under.each(count), accounts.items(), strict=True)
            return Batch.of(
                b"" if pin is None else make_pin_block(under.algorithm, key, pin.decode(), account)
                for pin, key, account in each
            )
        finally:
            wipe(raw, *(pin for pin in pins if pin is not None))

    def _opened_pins(
        self, caller: Caller, verb: Verb, ref: str, factors: Batch, blocks: Batch, accounts: Batch
    ) -> list[bytes | None]:
        """The PINs of blocks in clear, None for what is no block; the caller overwrites them."""
        with self._each(caller, ref, verb, factors, blocks.count) as keys:
            _need("PIN block", blocks, block_bytes(keys.algorithm), blocks.count)
            each = zip(keys.each(blocks.count), blocks.items(), accounts.items(), strict=True)
            return [open_pin_block(keys.algorithm, key, block, account) for key, block, account in each]

    def _pin_values(
        self,
        caller: Caller,
        verb: Verb,
        ref: str,
        factors: Batch,
        blocks: Batch,
        accounts: Batch,
        value_ref: str,
        cards: Batch,
    ) -> list[bytes | None]:
        """MACs of the PINs under the cards' value keys. A PIN is in clear inside this call only."""
        count = blocks.count
        _need("account", accounts, ACCOUNT_DIGITS, count)
        _need("factor", cards, FACTOR_BYTES, count)
        values = self._store.living(caller, value_ref, verb, VALUING)
        pins = self._opened_pins(caller, verb, ref, factors, blocks, accounts)
        raw = self._children(values, cards.raw) if count else b""
        try:
            under = Keys(values.info.algorithm, raw, shared=False)
            texts = Batch.of(b"PIN" + pin if pin is not None else b"" for pin in pins)
            macs = formulae.macs(under, texts, None)
            wipe(texts.raw)
        finally:
            wipe(raw, *(pin for pin in pins if pin is not None))
        parts = [macs[at : at + COMMAND_MAC_BYTES] for at in range(0, len(macs), COMMAND_MAC_BYTES)]
        return [part if pin is not None else None for pin, part in zip(pins, parts, strict=True)]

    def verify_mac1(
        self, caller: Caller, ref: str, factors: Batch, sessions: Batch, settlements: Batch, given: Batch
    ) -> list[bool]:
        """Whether the PSAM of the terminal made each MAC1."""
        _need("settlement", settlements, _SETTLEMENT, settlements.count)
        _count("macs", given, settlements.count)
        found = self._session_macs(caller, ref, Verb.VERIFY_MAC1, factors, sessions, settlements)
        return formulae.equal(found, given)

    def verify_tacs(self, caller: Caller, ref: str, factors: Batch, signed: Batch, given: Batch) -> list[bool]:
        _need("signed data", signed, _TAC_MESSAGE, signed.count)
        _count("tacs", given, signed.count)
        with self._each(caller, ref, Verb.VERIFY_TACS, factors, signed.count) as keys:
            return formulae.equal(formulae.tacs(keys, signed), given)

    def mac1(self, caller: Caller, ref: str, factors: Batch, sessions: Batch, settlements: Batch) -> Batch:
        _need("settlement", settlements, _SETTLEMENT, settlements.count)
        return Batch(self._session_macs(caller, ref, Verb.MAC1, factors, sessions, settlements), COMMAND_MAC_BYTES)

    def verify_mac2(
        self, caller: Caller, ref: str, factors: Batch, sessions: Batch, amounts: Batch, given: Batch
    ) -> list[bool]:
        _need("amounts", amounts, _AMOUNTS, amounts.count)
        _count("macs", given, amounts.count)
        return formulae.equal(self._session_macs(caller, ref, Verb.VERIFY_MAC2, factors, sessions, amounts), given)

    def _session_macs(
        self, caller: Caller, ref: str, verb: Verb, factors: Batch, sessions: Batch, messages: Batch
    ) -> bytes:
        _need("session input", sessions, 8, messages.count)
        with self._each(caller, ref, verb, factors, messages.count) as keys:
            return formulae.session_macs(keys, sessions.raw, messages)

    def _macs(
        self, caller: Caller, ref: str, verb: Verb, factors: Batch | None, messages: Batch, ivs: Batch | None
    ) -> bytes:
        with self._keys(caller, ref, verb, factors, messages.count) as keys:
            if ivs is not None:
                _need("iv", ivs, block_bytes(keys.algorithm), messages.count)
            return formulae.macs(keys, messages, None if ivs is None else ivs.raw)

    @contextmanager
    def _keys(
        self,
        caller: Caller,
        ref: str,
        verb: Verb,
        factors: Batch | None,
        count: int,
        usages: frozenset[Usage] | None = None,
    ) -> Iterator[Keys]:
        """The key for all items, or with factors one diversified key for each; overwritten afterwards."""
        stored = self._store.living(caller, ref, verb, usages)
        _need_way(stored.info, through_factor=factors is not None)
        if factors is not None:
            _need("factor", factors, FACTOR_BYTES, count)
        if factors is None:
            with self._shared(stored) as keys:
                yield keys
            return
        raw = self._children(stored, factors.raw)
        try:
            yield Keys(stored.info.algorithm, raw, shared=False)
        finally:
            wipe(raw)

    @contextmanager
    def _shared(self, stored: StoredKey) -> Iterator[Keys]:
        """A stored key as it is."""
        with self._store.opened(stored) as key:
            yield Keys(stored.info.algorithm, key, shared=True)

    def _children(self, stored: StoredKey, factors: bytes) -> bytes:
        """The diversified keys of a stored key for 8-byte factors, 16 bytes each."""
        with self._store.opened(stored) as key:
            return diversify_many(stored.info.algorithm, key, factors)

    @contextmanager
    def _each(self, caller: Caller, ref: str, verb: Verb, factors: Batch, count: int) -> Iterator[Keys]:
        with self._keys(caller, ref, verb, factors, count) as keys:
            yield keys

    @contextmanager
    def _single(self, caller: Caller, ref: str, factor: bytes) -> Iterator[Keys]:
        """One key for one chip, diversified unless the factor is empty."""
        stored = self._store.living(caller, ref, Verb.WRAP_FOR_CHIP)
        if factor:
            _need_way(stored.info, through_factor=True)
            _need("factor", Batch(factor, len(factor)), FACTOR_BYTES, 1)
        else:
            need_movable(stored)
        if not factor:
            with self._store.opened(stored) as key:
                yield Keys(stored.info.algorithm, key, shared=True)
            return
        child = self._children(stored, factor)
        try:
            yield Keys(stored.info.algorithm, child, shared=True)
        finally:
            wipe(child)


def may_leave(info: KeyInfo) -> bool:
    """Whether a key may go to a chip or another machine: all but a root made here that was not made `movable`."""
    return info.usage is not Usage.DIVERSIFY or info.origin not in ("generated", "entered") or info.movable


def need_movable(stored: StoredKey) -> None:
    """`MACHINE_KEY_STAYS` for a key that may not leave; what is derived from it may."""
    if not may_leave(stored.info):
        raise Refused(Code.MACHINE_KEY_STAYS, name=stored.info.name)


def _need_way(info: KeyInfo, *, through_factor: bool) -> None:
    if info.usage is Usage.WRAP:
        return
    if info.diversified and not through_factor:
        raise Refused(Code.MACHINE_KEY_NEEDS_FACTOR, name=info.name)
    if through_factor and not info.diversified:
        raise Refused(Code.MACHINE_KEY_TAKES_NO_FACTOR, name=info.name)


def _need(what: str, batch: Batch, width: int, count: int) -> None:
    _count(what, batch, count)
    if batch.width != width and batch.count:
        wrong: Sequence[int] = (batch.width,) if batch.width else [n for n in batch.lengths if n != width] or [0]
        raise Refused(Code.MACHINE_INPUT_LENGTH, what=what, expected=width, got=wrong[0])


def _count(what: str, batch: Batch, count: int) -> None:
    if batch.count != count:
        raise Refused(Code.MACHINE_INPUT_COUNT, what=what, expected=count, got=batch.count)


def _need_algorithm(keys: Keys, kek: Keys) -> None:
    if keys.algorithm is not kek.algorithm:
        raise Refused(Code.MACHINE_KEY_ALGORITHM, first=keys.algorithm.name, second=kek.algorithm.name)


def _one(factor: bytes) -> Batch | None:
    return Batch(factor, len(factor)) if factor else None


def _table(raw: bytes, width: int) -> formulae.Octets:
    return np.frombuffer(raw, np.uint8).reshape(-1, width)
