"""A new version of its keys for a card in use, over the reader (rotation, K2; H4).

The card must be authenticated with the issuer's key of the profile, then its transport key; all keys arrive wrapped
by the machine and become the card's in one step. Until then, and if the power fails on the way, the card is as it was:
repeat the call. The old version works on beside the new one until `retire`.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sheka.equipment.card_reader.channel import meaning
from sheka.equipment.card_reader.session import SSSE, CardSession, CardState
from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.authentication import external_data
from sheka.foundation.chip.declarations import KeyDeclaration
from sheka.foundation.chip.personalisation import WantedKey
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

_EXTERNAL = 0x82
_SOURCE_BYTES = 8


class RekeyingKeys(Protocol):
    """What the encryption machine does for one card in use (`initialisation.machine_keys.MachineKeys`)."""

    def read_cryptogram(self, key: KeyDeclaration, version: int, challenge: bytes) -> bytes:
        """External cryptogram of a key of the card for its challenge, both 8 bytes."""

    def transport_cryptogram(self, chip_serial: bytes, challenge: bytes) -> bytes:
        """External cryptogram under the chip's transport key, 8 bytes."""

    def wrapped_keys(self, chip_serial: bytes, challenge: bytes, wanted: Sequence[WantedKey]) -> Sequence[bytes]:
        """WRITE KEY data of every wanted key, by one call."""

    def internal_answer(self, version: int, source: bytes) -> bytes:
        """What the genuine card answers to INTERNAL AUTHENTICATE, the process factor being the card factor."""


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What was done: the card has `version` now, beside `before`."""

    before: int
    version: int
    keys: int
    """Keys written; 0 when the card had the version already."""


def rekey(session: CardSession, keys: RekeyingKeys, version: int, *, chip_serial: bytes) -> Rekeyed:
    """Give the card in an open session the next version of all its keys, and prove that it works.

    Parameters
    ----------
    version : the card's newest plus one; its newest itself changes nothing (the call was repeated).
    chip_serial : 8 bytes, from the issuer's records: a card in use does not tell it.

    Raises Refused: CARD_REKEY_VERSION; CARD_KEY_REFUSED when the card does not take the issuer's key;
    CARD_REKEY_CLOSED when it does not take its transport key (another chip, or a card made without this right);
    CARD_ANSWERED; CARD_REKEY_UNPROVED; refusals of reader and machine.
    """
    profile = session.profile
    session.select_sse()
    before = session.state().key_version
    if version == before:
        return Rekeyed(before, version, 0)
    wanted = [(key, version) for key in profile.keys if version in key.versions]
    if version != before + 1 or len(wanted) != len(profile.keys):
        raise Refused(Code.CARD_REKEY_VERSION, card=before, asked=version)
    challenge = _open(session, keys, before, chip_serial)
    wrapped = keys.wrapped_keys(chip_serial, challenge, wanted)
    application = ""
    for (key, _), data in sorted(zip(wanted, wrapped, strict=True), key=lambda pair: _place(session, pair[0][0])):
        if key.application != application:
            session.select(application := key.application)
        _command(session, Term(f"写入{key.name} v{version}", f"write {key.name} v{version}"), "write_key", data)
    _command(session, Term("结束换密钥", "end the re-keying"), "end_rekeying")
    session.select(SSSE)
    source = secrets.token_bytes(_SOURCE_BYTES)
    for each in (version, before):
        answer = session.internal_authenticate(session.factor, source, version=each)
        if not hmac.compare_digest(answer, keys.internal_answer(each, source)):
            raise Refused(Code.CARD_REKEY_UNPROVED, version=each)
    return Rekeyed(before, version, len(wanted))


def retire(session: CardSession, keys: RekeyingKeys, version: int, *, chip_serial: bytes) -> None:
    """Take an old version of all keys off the card. Refusals as in `rekey`; CARD_REKEY_VERSION for the newest."""
    session.select_sse()
    state: CardState = session.state()
    if not 0 < version < state.key_version:
        raise Refused(Code.CARD_REKEY_VERSION, card=state.key_version, asked=version)
    _open(session, keys, state.key_version, chip_serial)
    _command(session, Term("停用旧密钥", "retire the old keys"), "retire_version", bytes((version,)))


def _open(session: CardSession, keys: RekeyingKeys, version: int, chip_serial: bytes) -> bytes:
    """Authenticate the issuer's key and the transport key; the challenge that binds the new keys."""
    profile = session.profile
    issuers = profile.key(profile.rekeying)
    session.external_authenticate(issuers.name, lambda c: keys.read_cryptogram(issuers, version, c), version=version)
    challenge = session.challenge()
    data = external_data(keys.transport_cryptogram(chip_serial, challenge), challenge)
    response = session.channel.exchange(Command(0x00, _EXTERNAL, 0, profile.transport.key_id, data))
    if not response.ok:
        raise Refused(Code.CARD_REKEY_CLOSED, status=f"{response.status:04X}", meaning=meaning(response.status))
    return challenge


def _command(session: CardSession, step: Term, name: str, data: bytes = b"") -> None:
    cla, ins = session.profile.instructions[name]
    session.channel.must(step, Command(cla, ins, 0, 0, data))


def _place(session: CardSession, key: KeyDeclaration) -> int:
    """Where a key's application stands in the profile, so that each is selected once."""
    return [application.name for application in session.profile.applications].index(key.application)
