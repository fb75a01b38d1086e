"""SM2 key agreement (GB/T 32918.3): two machines make one secret key over an open line (K2, K6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sheka.foundation.crypto import libcrypto
from sheka.foundation.crypto.sm2 import DEFAULT_ID, ORDER, derive_key, need_private, public_of, z_value
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused

_HALF = 1 << 127
"""2^w with w = ⌈⌈log2 n⌉ / 2⌉ − 1 = 127."""


@dataclass(frozen=True, slots=True)
class Party:
    """What one side knows of the other: its public key, its one-time public key (65 bytes each) and its identity."""

    public: bytes
    ephemeral: bytes
    identity: bytes = DEFAULT_ID


@dataclass(frozen=True, slots=True, repr=False)
class Agreement:
    """The agreed key and the two confirmations: `own` is sent, `peer` is what must come back (32 bytes each)."""

    key: bytes
    own: bytes
    peer: bytes


def agree(
    role: Literal["initiator", "responder"],
    private: bytes,
    ephemeral_private: bytes,
    peer: Party,
    *,
    length: int = 16,
    identity: bytes = DEFAULT_ID,
) -> Agreement:
    """One side's result from its private key, its one-time private key (a fresh `generate_private`) and the peer.

    The key has `length` bytes. `CRYPTO_SM2_KEY` for a point off the curve, `CRYPTO_EXCHANGE` for a zero result.
    """
    need_private(ephemeral_private)
    own_public, own_ephemeral = public_of(private), public_of(ephemeral_private)
    secret = int.from_bytes(private, "big") + _reduced(own_ephemeral) * int.from_bytes(ephemeral_private, "big")
    blended = libcrypto.point_plus(peer.public, _times(peer.ephemeral, _reduced(peer.ephemeral)))
    shared = _times(blended, secret % ORDER)[1:]
    sides = [(z_value(own_public, identity), own_ephemeral), (z_value(peer.public, peer.identity), peer.ephemeral)]
    if role == "responder":
        sides.reverse()
    (z_first, r_first), (z_second, r_second) = sides
    key = derive_key(shared + z_first + z_second, length)
    inner = sm3(shared[:32] + z_first + z_second + r_first[1:] + r_second[1:])
    from_responder = sm3(b"\x02" + shared[32:] + inner)
    from_initiator = sm3(b"\x03" + shared[32:] + inner)
    if role == "responder":
        return Agreement(key, from_responder, from_initiator)
    return Agreement(key, from_initiator, from_responder)


def _reduced(point: bytes) -> int:
    """x̄ = 2^w + (x mod 2^w)."""
    return _HALF + int.from_bytes(point[1:33], "big") % _HALF


def _times(point: bytes, scalar: int) -> bytes:
    if scalar == 0:
        raise Refused(Code.CRYPTO_EXCHANGE, reason="zero factor")
    return libcrypto.point_times(point, scalar.to_bytes(libcrypto.SCALAR_BYTES, "big"))
