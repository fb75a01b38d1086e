"""Key envelopes between machines (K2, K3, K6): a key under an SM4 session key, that under the recipient's SM2 key, all
signed.

Layout: "SHEKA-KEY-1\\n", then five parts with 4-byte lengths: attributes (canonical JSON), session key (SM2 C1‖C3‖C2 to
the recipient), nonce 12, sealed key (SM4-GCM, attributes and wrapped session key bound as additional data), signature
r‖s 64 over everything before it. The signature is made under an identity of its own, so that no signature asked for by
`sign` is ever one of an envelope. The functions here hold no machine: a chip maker without one seals its transport key
with `seal_envelope`.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.keystore import need_naming, now
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.equipment.encryption_machine.rights import ALWAYS_DIVERSIFIED
from sheka.equipment.encryption_machine.wire import BLOB, decode, encode
from sheka.foundation.canonical import canonical
from sheka.foundation.crypto import sm2
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.crypto.sm4 import GCM_NONCE_BYTES, decrypt_gcm, encrypt_gcm
from sheka.foundation.refusals import Code, Refused

IDENTITY = b"SHEKA KEY ENVELOPE 1"
"""The SM2 identity of envelope signatures."""

_MAGIC = b"SHEKA-KEY-1\n"
_PARTS = (BLOB, BLOB, BLOB, BLOB)
_TEXTS = ("id", "name", "usage", "owner", "factor", "check_value", "sender", "recipient", "created")


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope taken apart, its signature not yet checked."""

    identifier: str
    info: KeyInfo
    sender: bytes
    recipient: bytes
    attributes: bytes
    session: bytes
    nonce: bytes
    sealed: bytes
    signed: bytes
    signature: bytes


def fingerprint(public: bytes) -> str:
    """What two people compare to know a public key: the first 16 bytes of its SM3 digest, upper-case hex."""
    return sm3(public)[:16].hex().upper()


def seal_envelope(sender_private: bytes, recipient_public: bytes, key: bytes, info: KeyInfo) -> bytes:
    """An envelope with a 16-byte key for one recipient.

    Name, algorithm, usage, version, owner, factor and `diversified` of `info` travel with it; the check value is
    computed here.
    """
    need_naming(info.name, info.version, info.owner)
    sm2.need_public(recipient_public)
    attributes = canonical(
        {
            "id": secrets.token_hex(16),
            "name": info.name,
            "algorithm": int(info.algorithm),
            "usage": str(info.usage),
            "version": info.version,
            "owner": info.owner,
            "factor": info.factor,
            "diversified": info.diversified,
            "check_value": check_value(info.algorithm, key).hex().upper(),
            "sender": sm2.public_of(sender_private).hex(),
            "recipient": recipient_public.hex(),
            "created": now(),
        }
    )
    session_key, nonce = secrets.token_bytes(16), secrets.token_bytes(GCM_NONCE_BYTES)
    session = sm2.encrypt(recipient_public, session_key)
    sealed = encrypt_gcm(session_key, nonce, key, _MAGIC + attributes + session)
    wipe(session_key)
    signed = _MAGIC + encode(_PARTS, (attributes, session, nonce, sealed))
    return signed + sm2.sign(sender_private, signed, identity=IDENTITY)


def read_envelope(envelope: bytes) -> Envelope:
    """Take an envelope apart; `MACHINE_ENVELOPE_MALFORMED` when it is none. Proves nothing yet."""
    if not envelope.startswith(_MAGIC) or len(envelope) < len(_MAGIC) + sm2.SIGNATURE_BYTES:
        raise _malformed("head")
    signed, signature = envelope[: -sm2.SIGNATURE_BYTES], envelope[-sm2.SIGNATURE_BYTES :]
    try:
        attributes, session, nonce, sealed = decode(_PARTS, signed[len(_MAGIC) :])
        found = json.loads(attributes)
    except (Refused, ValueError):
        raise _malformed("parts") from None
    if not isinstance(found, dict) or any(not isinstance(found.get(name), str) for name in _TEXTS):
        raise _malformed("attributes")
    return Envelope(
        found["id"],
        _info(found),
        _point(found["sender"]),
        _point(found["recipient"]),
        attributes,
        session,
        nonce,
        sealed,
        signed,
        signature,
    )


def open_envelope(found: Envelope, recipient_private: bytes, sender_public: bytes) -> bytes:
    """The key of an envelope, 16 bytes: sender, signature, recipient, cipher and check value must all be right."""
    if found.sender != sender_public:
        raise Refused(Code.MACHINE_ENVELOPE_SENDER)
    if not sm2.verify(sender_public, found.signed, found.signature, identity=IDENTITY):
        raise Refused(Code.MACHINE_ENVELOPE_TAMPERED, what="signature")
    if found.recipient != sm2.public_of(recipient_private):
        raise Refused(Code.MACHINE_ENVELOPE_RECIPIENT)
    try:
        session_key = sm2.decrypt(recipient_private, found.session)
        key = decrypt_gcm(session_key, found.nonce, found.sealed, _MAGIC + found.attributes + found.session)
    except Refused:
        raise Refused(Code.MACHINE_ENVELOPE_TAMPERED, what="cipher") from None
    wipe(session_key)
    if len(key) != KEY_BYTES or check_value(found.info.algorithm, key).hex().upper() != found.info.check_value:
        wipe(key)
        raise Refused(Code.MACHINE_ENVELOPE_TAMPERED, what="check value")
    return key


def _info(found: dict[str, Any]) -> KeyInfo:
    version, diversified = found.get("version"), found.get("diversified")
    if type(version) is not int or type(diversified) is not bool or len(found["id"]) != 32:
        raise _malformed("attributes")
    try:
        need_naming(found["name"], version, found["owner"])
        usage = Usage(found["usage"])
        return KeyInfo(
            ref="",
            name=found["name"],
            algorithm=Algorithm(found["algorithm"]),
            usage=usage,
            version=version,
            owner=found["owner"],
            check_value=found["check_value"],
            factor=bytes.fromhex(found["factor"])[:8].hex().upper(),
            diversified=diversified or usage in ALWAYS_DIVERSIFIED,
        )
    except (KeyError, ValueError, Refused):
        raise _malformed("attributes") from None


def _point(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise _malformed("attributes") from None


def _malformed(what: str) -> Refused:
    return Refused(Code.MACHINE_ENVELOPE_MALFORMED, what=what)
