"""Signed PDFs: the SM2 signature of an encryption machine over a whole file, inside the file (K6).

The file is followed by one comment line and the end of file again (`startxref`, `%%EOF`), as PDF allows (ISO 32000-1,
7.2.3, 7.5.5): every reader opens it as before. The signature covers every byte before the comment and what it says of
itself; one byte more or less, and it does not hold. SM2 with its default identity, as the heads of the audit chain.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sheka.foundation.canonical import canonical
from sheka.foundation.crypto.sm2 import verify
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused

_MARK = b"%SHEKA-SIGNATURE-1 "
_STARTXREF = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*\Z")
_TAIL = re.compile(rb"\n%SHEKA-SIGNATURE-1 ([0-9a-f]+)\nstartxref\n(\d+)\n%%EOF\n\Z")


class Signer(Protocol):
    """What signs: an encryption machine's client."""

    def public_key(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed a file, what it says, when. `public`: 65 bytes, `digest`: SM3 of the file without its signature."""

    node: str
    organisation: str
    about: str
    at: datetime
    public: bytes
    digest: str


def signed_pdf(content: bytes, signer: Signer, *, node: str, organisation: str, about: str, at: datetime) -> bytes:
    """The PDF with the signature at its end. Raises Refused(CEREMONY_SIGNATURE) for what is no PDF."""
    found = _STARTXREF.search(content)
    if found is None:
        raise Refused(Code.CEREMONY_SIGNATURE, file=about, reason="%%EOF")
    plain: dict[str, Any] = {
        "node": node,
        "organisation": organisation,
        "about": about,
        "at": at.isoformat(),
        "public": signer.public_key().hex(),
        "digest": sm3(content).hex(),
    }
    row = plain | {"signature": signer.sign(_message(plain)).hex()}
    comment = _MARK + json.dumps(row, sort_keys=True).encode().hex().encode()
    return content + b"\n" + comment + b"\nstartxref\n" + found[1] + b"\n%%EOF\n"


def read_signature(content: bytes, file: str) -> Signed:
    """Who signed exactly these bytes; whether that key is to be trusted is the reader's question.

    Raises Refused(CEREMONY_SIGNATURE) when there is no signature, or it does not hold.
    """
    tail = _TAIL.search(content)
    if tail is None:
        raise Refused(Code.CEREMONY_SIGNATURE, file=file, reason="no signature at its end")
    body = content[: tail.start()]
    first = _STARTXREF.search(body)
    if first is None or first[1] != tail[2]:
        raise Refused(Code.CEREMONY_SIGNATURE, file=file, reason="not as it was issued")
    try:
        row = json.loads(bytes.fromhex(tail[1].decode()))
        signature = bytes.fromhex(row.pop("signature"))
        found = Signed(
            node=row["node"],
            organisation=row["organisation"],
            about=row["about"],
            at=datetime.fromisoformat(row["at"]),
            public=bytes.fromhex(row["public"]),
            digest=row["digest"],
        )
        holds = verify(found.public, _message(row), signature)
    except (ValueError, KeyError, TypeError, AttributeError, Refused):
        raise Refused(Code.CEREMONY_SIGNATURE, file=file, reason="the signature is malformed") from None
    if sm3(body).hex() != found.digest or not holds:
        raise Refused(Code.CEREMONY_SIGNATURE, file=file, reason="altered after it was signed")
    return found


def _message(plain: dict[str, Any]) -> bytes:
    return b"sheka ceremony minutes\n" + canonical(plain)
