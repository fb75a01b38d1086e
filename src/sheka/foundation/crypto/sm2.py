"""SM2 signatures and encryption (GB/T 32918.2, .4, .5; GM/T 0009 for DER): approvals, envelopes (C1, K2, K7)."""

from __future__ import annotations

import hmac
import secrets
from functools import lru_cache

from sheka.foundation.crypto import der, libcrypto
from sheka.foundation.crypto.sm3 import DIGEST_BYTES, sm3
from sheka.foundation.refusals import Code, Refused

PRIVATE_BYTES = 32
PUBLIC_BYTES = 65
SIGNATURE_BYTES = 64
CIPHERTEXT_OVERHEAD = PUBLIC_BYTES + DIGEST_BYTES

DEFAULT_ID = b"1234567812345678"
"""The identity of GM/T 0009 §10 where none was agreed."""

ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
"""n, the order of the base point (GB/T 32918.5 §2)."""

_CURVE = bytes.fromhex(
    "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc"  # a
    "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93"  # b
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"  # x of the base point
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"  # y
)


def generate_private() -> bytes:
    """A new private key: 32 bytes, 1 … n − 2, from the operating system's generator."""
    return (secrets.randbelow(ORDER - 2) + 1).to_bytes(PRIVATE_BYTES, "big")


def public_of(private: bytes) -> bytes:
    """The public key 04 ‖ x ‖ y (65 bytes) of a private key."""
    need_private(private)
    return libcrypto.base_times(private)


def z_value(public: bytes, identity: bytes = DEFAULT_ID) -> bytes:
    """Z: the digest of the signer's identity, the curve and the public key (GB/T 32918.2 §5.5), 32 bytes."""
    bits = 8 * len(identity)
    if bits >> 16:
        raise Refused(Code.CRYPTO_INPUT_LIMIT, what="SM2 identity", limit=0xFFFF // 8, got=len(identity))
    if len(public) != PUBLIC_BYTES:
        raise Refused(Code.CRYPTO_SM2_KEY, reason=f"a public key has {PUBLIC_BYTES} bytes, this one {len(public)}")
    return sm3(bits.to_bytes(2, "big") + identity + _CURVE + public[1:])


def message_digest(z: bytes, message: bytes) -> bytes:
    """e = SM3(Z ‖ M), what is signed."""
    return sm3(z + message)


class SigningKey:
    """A private key set up once for many signatures. Holds the key inside OpenSSL until it is dropped."""

    def __init__(self, private: bytes, *, identity: bytes = DEFAULT_ID) -> None:
        self.public = public_of(private)
        self._z = z_value(self.public, identity)
        self._key = libcrypto.Key(self.public, private)

    def sign(self, message: bytes) -> bytes:
        """r ‖ s, 64 bytes, over e = SM3(Z ‖ message)."""
        return signature_from_der(self._key.sign(message_digest(self._z, message)))


def sign(private: bytes, message: bytes, *, identity: bytes = DEFAULT_ID) -> bytes:
    """The signature r ‖ s (64 bytes) of `message` by `private` under `identity`; for many, keep a `SigningKey`."""
    return SigningKey(private, identity=identity).sign(message)


def verify(public: bytes, message: bytes, signature: bytes, *, identity: bytes = DEFAULT_ID) -> bool:
    """Whether r ‖ s is a signature of `message` by the holder of `public` under `identity`.

    False for any wrong signature, also one of wrong length or range. `CRYPTO_SM2_KEY` when `public` is no key.
    """
    key = _verifying_key(public)
    try:
        encoded = signature_to_der(signature)
    except Refused:
        return False
    return key.verify(message_digest(z_value(public, identity), message), encoded)


def encrypt(public: bytes, data: bytes) -> bytes:
    """C1 ‖ C3 ‖ C2 (GB/T 32918.4 §6.1): point 65, digest 32, and as many bytes as `data`, which must not be empty."""
    while True:
        scalar = (secrets.randbelow(ORDER - 1) + 1).to_bytes(PRIVATE_BYTES, "big")
        found = encrypt_with(public, data, scalar)
        if found is not None:
            return found


def encrypt_with(public: bytes, data: bytes, scalar: bytes) -> bytes | None:
    """`encrypt` with the random number k given, for the standard's examples; None when k must be drawn again."""
    if not data:
        raise Refused(Code.CRYPTO_INPUT_LIMIT, what="SM2", limit=0xFFFFFFFF, got=0)
    shared = libcrypto.point_times(public, scalar)[1:]
    mask = derive_key(shared, len(data))
    if not any(mask):
        return None
    return libcrypto.base_times(scalar) + _check_of(shared, data) + _xor(data, mask)


def decrypt(private: bytes, data: bytes) -> bytes:
    """The plaintext of C1 ‖ C3 ‖ C2; `CRYPTO_CIPHERTEXT` when it is cut, changed or for another key."""
    need_private(private)
    if len(data) <= CIPHERTEXT_OVERHEAD:
        raise Refused(
            Code.CRYPTO_CIPHERTEXT, reason=f"more than {CIPHERTEXT_OVERHEAD} bytes expected, {len(data)} given"
        )
    point, check, masked = data[:PUBLIC_BYTES], data[PUBLIC_BYTES:CIPHERTEXT_OVERHEAD], data[CIPHERTEXT_OVERHEAD:]
    try:
        shared = libcrypto.point_times(point, private)[1:]
    except Refused as refusal:
        raise Refused(Code.CRYPTO_CIPHERTEXT, reason="C1 is not a point of the curve") from refusal
    mask = derive_key(shared, len(masked))
    plain = _xor(masked, mask)
    if not any(mask) or not hmac.compare_digest(check, _check_of(shared, plain)):
        raise Refused(Code.CRYPTO_CIPHERTEXT, reason="C3 does not agree")
    return plain


def signature_to_der(signature: bytes) -> bytes:
    """r ‖ s (64 bytes) as SEQUENCE { r, s }; `CRYPTO_SIGNATURE` when the length or a number is out of range."""
    if len(signature) != SIGNATURE_BYTES:
        raise Refused(Code.CRYPTO_SIGNATURE, reason=f"{SIGNATURE_BYTES} bytes expected, {len(signature)} given")
    numbers = [int.from_bytes(half, "big") for half in (signature[:32], signature[32:])]
    return der.sequence(*(der.integer(_in_range(number)) for number in numbers))


def signature_from_der(encoded: bytes) -> bytes:
    """SEQUENCE { r, s } as r ‖ s, 64 bytes; `CRYPTO_SIGNATURE` for anything that is not exact DER."""
    try:
        outer = der.Reader(encoded)
        numbers = outer.sequence()
        outer.end()
        r, s = numbers.integer(), numbers.integer()
        numbers.end()
    except der.DerError as error:
        raise Refused(Code.CRYPTO_SIGNATURE, reason=str(error)) from None
    return _in_range(r).to_bytes(32, "big") + _in_range(s).to_bytes(32, "big")


def ciphertext_to_der(data: bytes) -> bytes:
    """C1 ‖ C3 ‖ C2 as SEQUENCE { x, y, OCTET STRING C3, OCTET STRING C2 } (GM/T 0009 §7.2)."""
    if len(data) <= CIPHERTEXT_OVERHEAD or data[0] != 4:
        raise Refused(Code.CRYPTO_CIPHERTEXT, reason="C1‖C3‖C2 expected, beginning with 04")
    x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:65], "big")
    return der.sequence(der.integer(x), der.integer(y), der.octets(data[65:97]), der.octets(data[97:]))


def ciphertext_from_der(encoded: bytes) -> bytes:
    """The reverse of `ciphertext_to_der`; `CRYPTO_CIPHERTEXT` for anything that is not exact DER."""
    try:
        outer = der.Reader(encoded)
        parts = outer.sequence()
        outer.end()
        x, y = parts.integer(), parts.integer()
        check, masked = parts.element(der.OCTET_STRING), parts.element(der.OCTET_STRING)
        parts.end()
    except der.DerError as error:
        raise Refused(Code.CRYPTO_CIPHERTEXT, reason=str(error)) from None
    if max(x, y) >> 256 or len(check) != DIGEST_BYTES or not masked:
        raise Refused(Code.CRYPTO_CIPHERTEXT, reason="a part has the wrong length")
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big") + check + masked


def derive_key(shared: bytes, length: int) -> bytes:
    """KDF of GB/T 32918.4 §5.4.3: `length` bytes of SM3(shared ‖ 00000001) ‖ SM3(shared ‖ 00000002) ‖ …"""
    blocks = -(-length // DIGEST_BYTES)
    return b"".join(sm3(shared + count.to_bytes(4, "big")) for count in range(1, blocks + 1))[:length]


def need_private(private: bytes) -> None:
    """Refuse a private key that is not 32 bytes between 1 and n − 2."""
    if len(private) != PRIVATE_BYTES:
        raise Refused(Code.CRYPTO_SM2_KEY, reason=f"a private key has {PRIVATE_BYTES} bytes, this one {len(private)}")
    if not 1 <= int.from_bytes(private, "big") <= ORDER - 2:
        raise Refused(Code.CRYPTO_SM2_KEY, reason="a private key lies between 1 and n − 2")


def need_public(public: bytes) -> None:
    """Refuse a public key that is not a point of the curve, 04 ‖ x ‖ y."""
    libcrypto.need_point(public)


@lru_cache(maxsize=256)
def _verifying_key(public: bytes) -> libcrypto.Key:
    """Public keys come again and again (machines, officers), so their OpenSSL form is kept; private ones never are."""
    return libcrypto.Key(public)


def _check_of(shared: bytes, data: bytes) -> bytes:
    return sm3(shared[:32] + data + shared[32:])


def _in_range(number: int) -> int:
    if not 1 <= number < ORDER:
        raise Refused(Code.CRYPTO_SIGNATURE, reason="r and s lie between 1 and n − 1")
    return number


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")
