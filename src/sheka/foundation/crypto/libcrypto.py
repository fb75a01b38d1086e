"""The only door to OpenSSL's libcrypto: points of the SM2 curve and SM2 signatures, by ctypes (C1, K4).

pyca `cryptography` does not offer SM2, the system's OpenSSL 3 does. Every object made here is freed here; every
failure clears the thread's error queue (the `ssl` module shares it) and ends in an exception or in False.
"""

from __future__ import annotations

import ctypes
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint, c_ulong, c_void_p, create_string_buffer
from functools import cache

from sheka.foundation.refusals import Code, Refused

POINT_BYTES = 65
SCALAR_BYTES = 32

_NAMES = ("libcrypto.so.3", "libcrypto.3.dylib", "libcrypto.so.4")
_LEAST_VERSION = 0x30000000
_UNCOMPRESSED = 4
_KEYPAIR, _PUBLIC_KEY = 0x87, 0x86  # selections of openssl/evp.h
_UNSIGNED_INTEGER, _UTF8_STRING, _OCTET_STRING = 2, 4, 5  # parameter types of openssl/core.h
_SIGNATURE_ROOM = 80


class _Param(ctypes.Structure):
    """OSSL_PARAM of openssl/core.h."""

    _fields_ = (
        ("key", c_char_p),
        ("data_type", c_uint),
        ("data", c_void_p),
        ("data_size", c_size_t),
        ("return_size", c_size_t),
    )


_P = c_void_p
_PROTOTYPES: dict[str, tuple[type | None, tuple[object, ...]]] = {
    "OpenSSL_version_num": (c_ulong, ()),
    "OBJ_sn2nid": (c_int, (c_char_p,)),
    "ERR_clear_error": (None, ()),
    "BN_bin2bn": (_P, (c_char_p, c_int, _P)),
    "BN_clear_free": (None, (_P,)),
    "EC_GROUP_new_by_curve_name": (_P, (c_int,)),
    "EC_GROUP_free": (None, (_P,)),
    "EC_POINT_new": (_P, (_P,)),
    "EC_POINT_clear_free": (None, (_P,)),
    "EC_POINT_oct2point": (c_int, (_P, _P, c_char_p, c_size_t, _P)),
    "EC_POINT_point2oct": (c_size_t, (_P, _P, c_int, c_char_p, c_size_t, _P)),
    "EC_POINT_mul": (c_int, (_P, _P, _P, _P, _P, _P)),
    "EC_POINT_add": (c_int, (_P, _P, _P, _P, _P)),
    "EVP_PKEY_CTX_new_from_name": (_P, (_P, c_char_p, c_char_p)),
    "EVP_PKEY_CTX_new": (_P, (_P, _P)),
    "EVP_PKEY_CTX_free": (None, (_P,)),
    "EVP_PKEY_fromdata_init": (c_int, (_P,)),
    "EVP_PKEY_fromdata": (c_int, (_P, POINTER(_P), c_int, POINTER(_Param))),
    "EVP_PKEY_free": (None, (_P,)),
    "EVP_PKEY_sign_init": (c_int, (_P,)),
    "EVP_PKEY_sign": (c_int, (_P, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    "EVP_PKEY_verify_init": (c_int, (_P,)),
    "EVP_PKEY_verify": (c_int, (_P, c_char_p, c_size_t, c_char_p, c_size_t)),
}


@cache
def library() -> ctypes.CDLL:
    """libcrypto 3.0 or newer with its prototypes set; `CRYPTO_LIBRARY` when there is none that knows SM2."""
    loaded = _open()
    try:
        for name, (result, arguments) in _PROTOTYPES.items():
            function = getattr(loaded, name)
            function.restype = result
            function.argtypes = arguments
    except AttributeError as error:
        raise Refused(Code.CRYPTO_LIBRARY, reason=str(error)) from None
    if loaded.OpenSSL_version_num() < _LEAST_VERSION:
        raise Refused(Code.CRYPTO_LIBRARY, reason="older than 3.0")
    if not loaded.OBJ_sn2nid(b"SM2"):
        raise Refused(Code.CRYPTO_LIBRARY, reason="built without SM2")
    return loaded


def base_times(scalar: bytes) -> bytes:
    """scalar · G as 04 ‖ x ‖ y; the scalar has 32 bytes and lies in 1 … n − 1. OpenSSL's ladder: constant time."""
    lib, group = library(), _group()
    with _number(scalar) as factor, _point() as result:
        _need(lib.EC_POINT_mul(group, result, factor, None, None, None), "multiplication")
        return _octets(result)


def point_times(point: bytes, scalar: bytes) -> bytes:
    """scalar · point. `CRYPTO_SM2_KEY` when the point is not on the curve or the result is its zero."""
    lib, group = library(), _group()
    with _number(scalar) as factor, _point(point) as start, _point() as result:
        _need(lib.EC_POINT_mul(group, result, None, start, factor, None), "multiplication")
        return _octets(result)


def point_plus(left: bytes, right: bytes) -> bytes:
    """The sum of two points."""
    lib, group = library(), _group()
    with _point(left) as first, _point(right) as second, _point() as result:
        _need(lib.EC_POINT_add(group, result, first, second, None), "addition")
        return _octets(result)


def need_point(point: bytes) -> None:
    """Refuse anything but a point of the curve, 04 ‖ x ‖ y."""
    with _point(point):
        return


class Key:
    """An SM2 key inside OpenSSL: to verify, and to sign when it was given the private half. Safe among threads."""

    def __init__(self, public: bytes, private: bytes | None = None) -> None:
        need_point(public)
        self._pointer = _key_from(public, private)
        self._finalizer = weakref.finalize(self, library().EVP_PKEY_free, self._pointer)

    def sign(self, digest: bytes) -> bytes:
        """The DER signature of the 32-byte e = SM3(Z ‖ M), with a fresh random k from OpenSSL."""
        lib = library()
        signature, length = create_string_buffer(_SIGNATURE_ROOM), c_size_t(_SIGNATURE_ROOM)
        with self._context() as context:
            _need(lib.EVP_PKEY_sign_init(context) == 1, "signature")
            _need(lib.EVP_PKEY_sign(context, signature, byref(length), digest, len(digest)) == 1, "signature")
        return signature.raw[: length.value]

    def verify(self, digest: bytes, signature: bytes) -> bool:
        """Whether the DER signature is this key's over e; False for anything that OpenSSL does not plainly accept."""
        lib = library()
        with self._context() as context:
            _need(lib.EVP_PKEY_verify_init(context) == 1, "verification")
            verdict = lib.EVP_PKEY_verify(context, signature, len(signature), digest, len(digest))
        if verdict != 1:
            lib.ERR_clear_error()
        return bool(verdict == 1)

    @contextmanager
    def _context(self) -> Iterator[int]:
        lib = library()
        with _owned(lib.EVP_PKEY_CTX_new(self._pointer, None), lib.EVP_PKEY_CTX_free) as context:
            yield context


def _open() -> ctypes.CDLL:
    for name in _NAMES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise Refused(Code.CRYPTO_LIBRARY, reason="libcrypto.so.3 not found")


@cache
def _group() -> int:
    """The SM2 curve; made once and kept for the life of the process (it is read only)."""
    lib = library()
    pointer: int | None = lib.EC_GROUP_new_by_curve_name(lib.OBJ_sn2nid(b"SM2"))
    if not pointer:
        raise Refused(Code.CRYPTO_LIBRARY, reason="no SM2 curve")
    return pointer


def _key_from(public: bytes, private: bytes | None) -> int:
    lib = library()
    params = [_param(b"group", _UTF8_STRING, b"SM2"), _param(b"pub", _OCTET_STRING, public)]
    if private is not None:
        native = private if sys.byteorder == "big" else private[::-1]
        params.append(_param(b"priv", _UNSIGNED_INTEGER, native))
    table = (_Param * (len(params) + 1))(*params)
    pointer = c_void_p()
    selection = _PUBLIC_KEY if private is None else _KEYPAIR
    with _owned(lib.EVP_PKEY_CTX_new_from_name(None, b"SM2", None), lib.EVP_PKEY_CTX_free) as context:
        made = lib.EVP_PKEY_fromdata_init(context) == 1
        made = made and lib.EVP_PKEY_fromdata(context, byref(pointer), selection, table) == 1
    if not made or not pointer.value:
        lib.ERR_clear_error()
        raise Refused(Code.CRYPTO_SM2_KEY, reason="OpenSSL refuses it")
    return pointer.value


def _param(name: bytes, kind: int, value: bytes) -> _Param:
    return _Param(name, kind, ctypes.cast(c_char_p(value), c_void_p), len(value), 0)


@contextmanager
def _owned(pointer: int | None, free: Callable[[int], None]) -> Iterator[int]:
    if not pointer:
        library().ERR_clear_error()
        raise Refused(Code.CRYPTO_LIBRARY, reason="out of memory")
    try:
        yield pointer
    finally:
        free(pointer)


@contextmanager
def _number(scalar: bytes) -> Iterator[int]:
    lib = library()
    with _owned(lib.BN_bin2bn(scalar, len(scalar), None), lib.BN_clear_free) as number:
        yield number


@contextmanager
def _point(octets: bytes | None = None) -> Iterator[int]:
    """A point, at zero or read from 04 ‖ x ‖ y; OpenSSL checks that it lies on the curve."""
    lib, group = library(), _group()
    with _owned(lib.EC_POINT_new(group), lib.EC_POINT_clear_free) as point:
        if octets is not None:
            if len(octets) != POINT_BYTES or octets[0] != _UNCOMPRESSED:
                raise Refused(Code.CRYPTO_SM2_KEY, reason="a point is 04‖x‖y, 65 bytes")
            _need(lib.EC_POINT_oct2point(group, point, octets, len(octets), None), "point")
        yield point


def _octets(point: int) -> bytes:
    lib = library()
    room = create_string_buffer(POINT_BYTES)
    size = lib.EC_POINT_point2oct(_group(), point, _UNCOMPRESSED, room, POINT_BYTES, None)
    _need(size == POINT_BYTES, "point at infinity")
    return room.raw


def _need(done: object, what: str) -> None:
    if not done:
        library().ERR_clear_error()
        reason = "not a point of the SM2 curve" if what == "point" else f"OpenSSL refuses: {what}"
        raise Refused(Code.CRYPTO_SM2_KEY, reason=reason)
