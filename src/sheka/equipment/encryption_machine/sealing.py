"""The store's root key, itself wrapped under a key made from the sealing secret (K6; GM/T 0091 PBKDF2 with HMAC-SM3).

The sealing secret comes from an owner-only file or over standard input when the machine starts: whoever has the disk
without it has no key. It is one secret in one hand. Unsealing by t of n officers is not built yet; until it is, put the
secret under dual control outside the machine, e.g. two sealed halves.
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
from sheka.foundation.crypto.sm3 import hmac_sm3
from sheka.foundation.crypto.sm4 import GCM_NONCE_BYTES, decrypt_gcm, encrypt_gcm
from sheka.foundation.refusals import Code, Refused

SECRET_BYTES = 16
"""Least length of a sealing secret; use 32 random bytes."""

_ROUNDS = 100_000
_ROOT_BYTES = 32
_AAD = b"sheka encryption machine: store root 1"


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """What the root key is split into: `records` (SM4, 16 bytes) seals records, `log` (32 bytes) tags log entries."""

    records: bytes
    log: bytes

    def forget(self) -> None:
        wipe(self.records, self.log)


def create(path: Path, secret: bytes) -> StoreKeys:
    """Make a new root key and write it wrapped to `path`."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(GCM_NONCE_BYTES)
    root = secrets.token_bytes(_ROOT_BYTES)
    wrapping = _wrapping_key(secret, salt, _ROUNDS)
    wrapped = encrypt_gcm(wrapping, nonce, root, _AAD)
    wipe(wrapping)
    content = {"form": 1, "rounds": _ROUNDS, "salt": salt.hex(), "nonce": nonce.hex(), "root": wrapped.hex()}
    write_whole(path, json.dumps(content, indent=1).encode() + b"\n")
    return _split(root)


def unseal(path: Path, secret: bytes) -> StoreKeys:
    """Open the root key; `MACHINE_SEAL_WRONG` with another secret, `MACHINE_STORE_DAMAGED` when the file is no seal."""
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        salt, nonce, wrapped = (bytes.fromhex(content[name]) for name in ("salt", "nonce", "root"))
        rounds = int(content["rounds"])
        if content["form"] != 1 or not 1000 <= rounds <= 10_000_000:
            raise ValueError(path.name)
    except (ValueError, KeyError, TypeError):
        raise Refused(Code.MACHINE_STORE_DAMAGED, what=path.name) from None
    wrapping = _wrapping_key(secret, salt, rounds)
    try:
        return _split(decrypt_gcm(wrapping, nonce, wrapped, _AAD))
    except Refused:
        raise Refused(Code.MACHINE_SEAL_WRONG) from None
    finally:
        wipe(wrapping)


def _wrapping_key(secret: bytes, salt: bytes, rounds: int) -> bytes:
    return PBKDF2HMAC(algorithm=SM3(), length=16, salt=salt, iterations=rounds).derive(secret)


def _split(root: bytes) -> StoreKeys:
    records, log = hmac_sm3(root, b"records"), hmac_sm3(root, b"log")
    keys = StoreKeys(records[:16], log)
    wipe(root, records)
    keep_off_swap(keys.records)
    keep_off_swap(keys.log)
    return keys
