"""The seal: the store's root key, wrapped under a secret that is not on the disk (K6).

Two forms of `seal.json`. Form 1: under a sealing secret in one hand, from a file or standard input (GM/T 0091: PBKDF2
with HMAC-SM3), for development and tests. Form 2: under 32 random bytes that t of n custodians hold in shares; the file
has the set, the threshold and a commitment to each share, all bound to the wrapped root. Who has the disk without the
secret or the shares has no key.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from sheka.equipment.encryption_machine.files import write_whole
from sheka.equipment.encryption_machine.hygiene import keep_off_swap, wipe
from sheka.equipment.encryption_machine.shares import Sharing
from sheka.foundation.canonical import canonical
from sheka.foundation.crypto.sm3 import hmac_sm3
from sheka.foundation.crypto.sm4 import GCM_NONCE_BYTES, decrypt_gcm, encrypt_gcm
from sheka.foundation.refusals import Code, Refused

NAME = "seal.json"
SECRET_BYTES = 16
"""Least length of a sealing secret; use 32 random bytes."""

_ROUNDS = 100_000
_ROOT_BYTES = 32
_AAD = b"sheka encryption machine: store root 1"
_SHARED_AAD = b"sheka encryption machine: store root 2"


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """The root key (32 bytes) and what it is split into: `records` (SM4, 16 bytes) seals records, `log` (32 bytes) tags
    log entries.
    """

    root: bytes
    records: bytes
    log: bytes

    @classmethod
    def of(cls, root: bytes) -> StoreKeys:
        """Split a root key, and keep all of it off the swap."""
        records, log = hmac_sm3(root, b"records"), hmac_sm3(root, b"log")
        keys = cls(root, records[:16], log)
        wipe(records)
        for key in (keys.root, keys.records, keys.log):
            keep_off_swap(key)
        return keys

    @classmethod
    def fresh(cls) -> StoreKeys:
        """Those of a new store."""
        return cls.of(secrets.token_bytes(_ROOT_BYTES))

    def forget(self) -> None:
        wipe(self.root, self.records, self.log)


def create(path: Path, secret: bytes) -> StoreKeys:
    """Make a new root key and write it wrapped to `path` (form 1)."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(GCM_NONCE_BYTES)
    keys = StoreKeys.fresh()
    wrapping = _wrapping_key(secret, salt, _ROUNDS)
    wrapped = encrypt_gcm(wrapping, nonce, keys.root, _AAD)
    wipe(wrapping)
    content = {"form": 1, "rounds": _ROUNDS, "salt": salt.hex(), "nonce": nonce.hex(), "root": wrapped.hex()}
    write_whole(path, json.dumps(content, indent=1).encode() + b"\n")
    return keys


def sharing_of(path: Path) -> Sharing | None:
    """The custodians' sharing of a seal of form 2, None for form 1; `MACHINE_STORE_DAMAGED` when it is no seal."""
    content = _read(path)
    if content.get("form") == 1:
        return None
    try:
        if content["form"] != 2:
            raise ValueError(path.name)
        return Sharing.of(content)
    except (ValueError, KeyError, TypeError):
        raise _damaged(path) from None


def unseal(path: Path, secret: bytes) -> StoreKeys:
    """Open the root key; `MACHINE_SEAL_WRONG` with another secret, `MACHINE_STORE_DAMAGED` when the file is no seal."""
    content = _read(path)
    try:
        salt, nonce, wrapped = (bytes.fromhex(content[name]) for name in ("salt", "nonce", "root"))
        rounds = int(content["rounds"])
        if content["form"] != 1 or not 1000 <= rounds <= 10_000_000:
            raise ValueError(path.name)
    except (ValueError, KeyError, TypeError):
        raise _damaged(path) from None
    wrapping = _wrapping_key(secret, salt, rounds)
    try:
        return StoreKeys.of(decrypt_gcm(wrapping, nonce, wrapped, _AAD))
    except Refused:
        raise Refused(Code.MACHINE_SEAL_WRONG) from None
    finally:
        wipe(wrapping)


def shared_seal(sharing: Sharing, secret: bytes, root: bytes) -> bytes:
    """The content of a seal of form 2: the root key under a shared secret."""
    nonce = secrets.token_bytes(GCM_NONCE_BYTES)
    wrapping = shared_key(sharing, secret, b"store root")
    wrapped = encrypt_gcm(wrapping, nonce, root, _SHARED_AAD + canonical(sharing.content()))
    wipe(wrapping)
    content = {"form": 2, **sharing.content(), "nonce": nonce.hex(), "root": wrapped.hex()}
    return json.dumps(content, indent=1).encode() + b"\n"


def unseal_shared(path: Path, sharing: Sharing, secret: bytes) -> StoreKeys:
    """Open the root key of form 2; `MACHINE_STORE_DAMAGED` when the right shares do not open it."""
    content = _read(path)
    wrapping = shared_key(sharing, secret, b"store root")
    try:
        nonce, wrapped = bytes.fromhex(content["nonce"]), bytes.fromhex(content["root"])
        return StoreKeys.of(decrypt_gcm(wrapping, nonce, wrapped, _SHARED_AAD + canonical(sharing.content())))
    except (ValueError, KeyError, TypeError, Refused):
        raise _damaged(path) from None
    finally:
        wipe(wrapping)


def shared_key(sharing: Sharing, secret: bytes, purpose: bytes) -> bytes:
    """The SM4 key (16 bytes) that a shared secret gives for one purpose."""
    whole = hmac_sm3(secret, purpose + b"\n" + sharing.set)
    key = whole[:16]
    wipe(whole)
    return key


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        raise _damaged(path) from None
    if not isinstance(content, dict):
        raise _damaged(path)
    return content


def _damaged(path: Path) -> Refused:
    return Refused(Code.MACHINE_STORE_DAMAGED, what=path.name)


def _wrapping_key(secret: bytes, salt: bytes, rounds: int) -> bytes:
    return PBKDF2HMAC(algorithm=SM3(), length=16, salt=salt, iterations=rounds).derive(secret)
