"""The encrypted files: SM4-GCM, a key for each document, written whole or not at all, named by the SM3 of the file.

    <node>/documents/3f/3f0a…   magic ‖ nonce (12) ‖ ciphertext ‖ tag (16)

The tag covers what the row says about the document, so that a file cannot be laid under another row.
"""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from sheka.equipment.server.files import make_folder
from sheka.foundation.canonical import canonical
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.crypto.sm4 import GCM_NONCE_BYTES, decrypt_gcm, encrypt_gcm
from sheka.foundation.refusals import Code, Refused

MAGIC = b"SHEKA-DOC-1\n"
HALF_WRITTEN = ".half-"
NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def seal(content: bytes, key: bytes, about: dict[str, str]) -> str:
    """Encrypt and write a document; the name of its file (64 characters). It is on the disk when this returns.

    Raises Refused: DOCUMENT_NO_ROOM, DOCUMENT_UNWRITABLE; then there is no file.
    """
    nonce = secrets.token_bytes(GCM_NONCE_BYTES)
    sealed = MAGIC + nonce + encrypt_gcm(key, nonce, content, canonical(about))
    name = sm3(sealed).hex()
    try:
        folder = make_folder(path_of(name).parent, mode=0o700)
        _write(folder, path_of(name), sealed)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise Refused(Code.DOCUMENT_NO_ROOM) from None
        raise Refused(Code.DOCUMENT_UNWRITABLE, reason=error.strerror) from None
    except Refused as refusal:
        if refusal.code is Code.SERVER_DISK_FULL:
            raise Refused(Code.DOCUMENT_NO_ROOM) from None
        raise Refused(Code.DOCUMENT_UNWRITABLE, reason=refusal.text("en")) from None
    return name


def read(name: str) -> bytes:
    """The encrypted file. Raises FileNotFoundError, Refused(DOCUMENT_UNWRITABLE)."""
    try:
        return path_of(name).read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Refused(Code.DOCUMENT_UNWRITABLE, reason=error.strerror) from None


def unseal(sealed: bytes, key: bytes, about: dict[str, str]) -> bytes:
    """The content. Raises Refused(CRYPTO_TAG) when a bit of the file, its key or what is known about it differs."""
    start = len(MAGIC) + GCM_NONCE_BYTES
    return decrypt_gcm(key, sealed[len(MAGIC) : start].ljust(GCM_NONCE_BYTES, b"\0"), sealed[start:], canonical(about))


def remove(name: str) -> None:
    """Take a file away; one that is gone already is well."""
    path_of(name).unlink(missing_ok=True)


def files_older_than(seconds: float) -> Iterator[Path]:
    """The files of the store, half-written ones too, that have not been touched for so long."""
    now = time.time()
    for path in sorted(settings.NODE.documents_folder.glob("??/*")):
        if now - path.stat().st_mtime > seconds:
            yield path


def path_of(name: str) -> Path:
    """Where the file of this name lies."""
    folder: Path = settings.NODE.documents_folder
    return folder / name[:2] / name


def _write(folder: Path, path: Path, content: bytes) -> None:
    number, half = tempfile.mkstemp(dir=folder, prefix=HALF_WRITTEN)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(number)
        Path(half).replace(path)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
