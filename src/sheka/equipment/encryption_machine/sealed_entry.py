"""Sealed entries: a share or a component on its way between a custodian's browser and the machine (K6).

The receiver has a P-256 key; the sender makes an ephemeral one. key = HKDF-SHA256(x of ECDH, salt empty, info "sheka
entry 1" ‖ entry id, 32 bytes); sealed = 01 ‖ ephemeral public key 65 ‖ nonce 12 ‖ AES-256-GCM(text, additional data:
entry id 16). Towards the machine the entry id is the machine's (`EntryKey.id`); towards a browser it is the first 16
bytes of the SHA-256 digest of the browser's public key (`entry_id_of`). P-256, HKDF (RFC 5869) and AES-GCM because
browsers have them (WebCrypto) and no SM algorithm; the web process between the two sees ciphertext only.

It cannot know whose key it is: a web process that lies could hand out a key of its own (see docs/security).
"""

from __future__ import annotations

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.foundation.refusals import Code, Refused

PUBLIC_BYTES = 65
ENTRY_BYTES = 16
_VERSION, _NONCE_BYTES, _TAG_BYTES = b"\x01", 12, 16
_INFO = b"sheka entry 1"
_LEAST = 1 + PUBLIC_BYTES + _NONCE_BYTES + _TAG_BYTES
_MOST = _LEAST + 4096


def new_key() -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """A fresh P-256 key and its public key (04 ‖ x ‖ y, 65 bytes): what a browser makes to receive a share."""
    private = ec.generate_private_key(ec.SECP256R1())
    return private, public_of(private)


def public_of(private: ec.EllipticCurvePrivateKey) -> bytes:
    """04 ‖ x ‖ y, 65 bytes."""
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def entry_id_of(public_key: bytes) -> bytes:
    """The entry id (16 bytes) of what the machine seals to a browser's key."""
    return hashlib.sha256(public_key).digest()[:ENTRY_BYTES]


def seal_for(public_key: bytes, entry_id: bytes, plaintext: bytes) -> bytes:
    """Seal to a receiver's public key; `MACHINE_ENTRY_UNREADABLE` when that is no point of the curve."""
    ephemeral, own = new_key()
    key = _key(ephemeral, public_key, entry_id)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    try:
        return _VERSION + own + nonce + AESGCM(key).encrypt(nonce, plaintext, entry_id)
    finally:
        wipe(key)


def open_with(private: ec.EllipticCurvePrivateKey, entry_id: bytes, sealed: bytes) -> bytes:
    """What was sealed to this key for this entry; `MACHINE_ENTRY_UNREADABLE` for anything else."""
    if not _LEAST <= len(sealed) <= _MOST or sealed[:1] != _VERSION:
        raise _unreadable("form")
    ephemeral, rest = sealed[1 : 1 + PUBLIC_BYTES], sealed[1 + PUBLIC_BYTES :]
    key = _key(private, ephemeral, entry_id)
    try:
        return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], entry_id)
    except InvalidTag:
        raise _unreadable("seal") from None
    finally:
        wipe(key)


def _key(private: ec.EllipticCurvePrivateKey, public_key: bytes, entry_id: bytes) -> bytes:
    if len(public_key) != PUBLIC_BYTES or len(entry_id) != ENTRY_BYTES:
        raise _unreadable("key")
    try:
        other = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    except ValueError:
        raise _unreadable("key") from None
    shared = private.exchange(ec.ECDH(), other)
    try:
        return HKDF(SHA256(), length=32, salt=b"", info=_INFO + entry_id).derive(shared)
    finally:
        wipe(shared)


def _unreadable(what: str) -> Refused:
    return Refused(Code.MACHINE_ENTRY_UNREADABLE, what=what)
