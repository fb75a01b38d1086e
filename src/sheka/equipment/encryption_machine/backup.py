"""Back-up of a store as one wrapped piece, opened by shares (K6).

"SHEKA-BACKUP-1\n", a line of JSON in clear (when it was made, of which machine, its log's length and head, and the
sharing of its secret), then nonce 12 ‖ SM4-GCM over the root key 32 ‖ the store's files, compressed. Everything before
the nonce is bound to it. The files are those of the disk: records sealed under the root key, and the log.
"""

from __future__ import annotations

import json
import re
import secrets
import zlib
from dataclasses import dataclass
from typing import Any

from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.sealing import StoreKeys, shared_key
from sheka.equipment.encryption_machine.shares import Sharing
from sheka.foundation.canonical import canonical
from sheka.foundation.crypto.sm4 import GCM_NONCE_BYTES, decrypt_gcm, encrypt_gcm
from sheka.foundation.refusals import Code, Refused

_MAGIC = b"SHEKA-BACKUP-1\n"
_ROOT_BYTES = 32
_FILE = re.compile(r"log\.jsonl|records/[a-z0-9-]+\.record")
_FACTS = ("made", "fingerprint", "log_entries", "log_head")


@dataclass(frozen=True, slots=True)
class Found:
    """A back-up taken apart, still wrapped: who can open it, what it says of itself."""

    sharing: Sharing
    facts: dict[str, Any]
    bound: bytes
    nonce: bytes
    wrapped: bytes


def wrap(sharing: Sharing, secret: bytes, facts: dict[str, Any], root: bytes, files: dict[str, bytes]) -> bytes:
    """The back-up of a store; `facts` are made, fingerprint, log_entries and log_head."""
    bound = _MAGIC + canonical({**facts, **sharing.content()}) + b"\n"
    packed = zlib.compress(json.dumps({name: content.decode() for name, content in files.items()}).encode())
    nonce, key = secrets.token_bytes(GCM_NONCE_BYTES), shared_key(sharing, secret, b"back-up")
    whole = root + packed
    try:
        return bound + nonce + encrypt_gcm(key, nonce, whole, bound)
    finally:
        wipe(key, whole)


def read(content: bytes) -> Found:
    """Take a back-up apart; `MACHINE_BACKUP_BAD` when it is none. Proves nothing yet."""
    head, _, wrapped = content.removeprefix(_MAGIC).partition(b"\n")
    if not content.startswith(_MAGIC) or len(wrapped) <= GCM_NONCE_BYTES + _ROOT_BYTES:
        raise _bad("form")
    try:
        stated = json.loads(head)
        sharing = Sharing.of(stated)
        facts = {name: stated[name] for name in _FACTS}
    except (ValueError, KeyError, TypeError):
        raise _bad("head") from None
    bound = content[: len(_MAGIC) + len(head) + 1]
    return Found(sharing, facts, bound, wrapped[:GCM_NONCE_BYTES], wrapped[GCM_NONCE_BYTES:])


def unwrap(found: Found, secret: bytes) -> tuple[StoreKeys, dict[str, bytes]]:
    """(the root keys, the files by their paths); `MACHINE_BACKUP_BAD` when anything in it was changed."""
    key = shared_key(found.sharing, secret, b"back-up")
    try:
        whole = decrypt_gcm(key, found.nonce, found.wrapped, found.bound)
    except Refused:
        raise _bad("seal") from None
    finally:
        wipe(key)
    root, packed = whole[:_ROOT_BYTES], whole[_ROOT_BYTES:]
    wipe(whole)
    files: dict[str, str] = json.loads(zlib.decompress(packed))
    if any(_FILE.fullmatch(name) is None for name in files):
        raise _bad("files")
    return StoreKeys.of(root), {name: content.encode() for name, content in files.items()}


def _bad(what: str) -> Refused:
    return Refused(Code.MACHINE_BACKUP_BAD, what=what)
