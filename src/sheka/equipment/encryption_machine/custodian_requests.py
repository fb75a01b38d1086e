"""The custodians' verbs as values (H5, K6), as `requests` has the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sheka.equipment.encryption_machine.model import Backup, EntryKey, KeyInfo, Progress, SharesOffered, Usage, Verb
from sheka.equipment.encryption_machine.requests import Request
from sheka.foundation.crypto.algorithms import Algorithm

T = TypeVar("T")


def _same(answer: T) -> T:
    return answer


def entry_key() -> Request[EntryKey]:
    return Request(Verb.ENTRY_KEY, (), _same)


def unseal(holder: int, entry: bytes, sealed: bytes) -> Request[Progress]:
    return Request(Verb.UNSEAL, (holder, entry, sealed), _same)


def seal() -> Request[Progress]:
    return Request(Verb.SEAL, (), _same)


def offer_shares(threshold: int, receivers: Sequence[bytes]) -> Request[SharesOffered]:
    return Request(Verb.SHARE_OUT, (threshold, list(receivers)), _same)


def confirm_shares(offered: bytes) -> Request[Progress]:
    return Request(Verb.CONFIRM_SHARES, (offered,), _same)


def back_up(threshold: int, receivers: Sequence[bytes]) -> Request[Backup]:
    return Request(Verb.BACK_UP, (threshold, list(receivers)), _same)


def restore(content: bytes) -> Request[Progress]:
    return Request(Verb.RESTORE, (content,), _same)


def begin_components(
    name: str,
    algorithm: Algorithm,
    usage: Usage,
    version: int,
    owner: str,
    diversified: bool,
    movable: bool,
    scheme: str,
    parts: int,
    threshold: int,
) -> Request[str]:
    key = (name, int(algorithm), str(usage), version, owner, int(diversified), int(movable))
    return Request(Verb.BEGIN_COMPONENTS, (*key, scheme, parts, threshold), _same)


def enter_component(ref: str, part: int, entry: bytes, sealed: bytes) -> Request[str]:
    return Request(Verb.ENTER_COMPONENT, (ref, part, entry, sealed), _same)


def finish_components(ref: str, check_value: str) -> Request[KeyInfo]:
    return Request(Verb.FINISH_COMPONENTS, (ref, check_value), _same)


def cancel_components(ref: str) -> Request[str]:
    return Request(Verb.CANCEL_COMPONENTS, (ref,), _same)


def generate_components(
    algorithm: Algorithm, scheme: str, parts: int, threshold: int, receivers: Sequence[bytes]
) -> Request[list[bytes]]:
    arguments = (int(algorithm), scheme, parts, threshold, list(receivers))
    return Request(Verb.GENERATE_COMPONENTS, arguments, _same)
