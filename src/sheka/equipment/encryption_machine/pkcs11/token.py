"""A PKCS#11 token, logged in (H5, K6): what the driver asks of it, each call whole. Lives in a worker process only.

Every key of the machine is one or more secret key objects, found by CKA_ID = the key's ref (16 bytes) ‖ a part (one
byte, `KEY`, `LEFT`, `CRADLE`). All are private, sensitive, not extractable, not modifiable, not copyable, and have one
right: CKA_DERIVE for what only begets other keys, else CKA_ENCRYPT. None has decrypt, sign, wrap or unwrap.

What must leave or come in as a value does so by C_WrapKey and C_UnwrapKey (AES key wrap) under a session key that the
token made and handed over under an RSA key of this process, so that no value crosses to the device in clear.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from dataclasses import replace
from enum import IntEnum
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from pkcs11.constants import DEFAULT
from pkcs11.mechanisms import MGF

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, TokenFlag
from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.pkcs11.objects import (
    CRADLE,
    KEY,
    LEFT,
    REF_BYTES,
    Place,
    TokenFacts,
)
from sheka.equipment.encryption_machine.pkcs11.settings import Suite, TokenSettings
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm, block_bytes
from sheka.foundation.refusals import Code, Refused

_CHANNEL_BITS = 256
_RSA_BITS = 2048

_LOCKED_IN: dict[Attribute, object] = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.COPYABLE: False,
    Attribute.MODIFIABLE: False,
}
"""In this order: SoftHSM2 takes no attribute after the one that forbids changes."""

E = TypeVar("E", bound=IntEnum)


class Token:
    """One session. `log_in` comes first; all other methods need it. Not for two threads at a time."""

    def __init__(self, settings: TokenSettings) -> None:
        self._settings = settings
        self._suites = dict(settings.suites)
        self._token = self._find()
        self._session: Any = None
        self._known: dict[bytes, Any] = {}
        self._channel: tuple[Any, bytes] | None = None
        self._made_before = False

    def _find(self) -> Any:
        settings = self._settings
        try:
            library = pkcs11.lib(str(settings.module))
        except pkcs11.PKCS11Error as error:
            raise Refused(Code.MACHINE_TOKEN_MODULE, module=settings.module, reason=_reason(error)) from None
        serial = settings.serial.encode() or None
        try:
            return library.get_token(token_label=settings.token, token_serial=serial)
        except pkcs11.NoSuchToken:
            raise Refused(Code.MACHINE_TOKEN_ABSENT, token=settings.token) from None
        except pkcs11.MultipleTokensReturned:
            raise Refused(Code.MACHINE_CONFIG_BAD, what=f"pkcs11.serial: {settings.token} names two tokens") from None

    def about(self) -> TokenFacts:
        token, flags = self._token, self._token.flags
        offered = token.slot.get_mechanisms()
        for algorithm, suite in list(self._suites.items()):
            if suite.ecb in offered:
                cbc, derive = (number if number in offered else None for number in (suite.cbc, suite.derive))
                self._suites[algorithm] = replace(suite, cbc=cbc, derive=derive)
            else:
                del self._suites[algorithm]
        return TokenFacts(
            label=token.label,
            serial=token.serial.decode("utf-8", "replace").strip(),
            manufacturer=token.manufacturer_id,
            model=token.model,
            firmware=".".join(map(str, token.firmware_version)),
            algorithms=tuple(algorithm.name for algorithm in self._suites),
            pin_locked=bool(flags & TokenFlag.USER_PIN_LOCKED),
            pin_last_try=bool(flags & TokenFlag.USER_PIN_FINAL_TRY),
        )

    def log_in(self, pin: str) -> None:
        """One attempt, never a second one: the token counts them."""
        try:
            self._session = self._token.open(rw=True, user_pin=pin)
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
            raise Refused(Code.MACHINE_TOKEN_PIN_WRONG, token=self._token.label) from None
        except (pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.UserPinNotInitialized) as error:
            raise Refused(Code.MACHINE_TOKEN_PIN_LOCKED, token=self._token.label, reason=_reason(error)) from None

    def generate(self, algorithm: Algorithm, place: Place) -> None:
        """A random key made by the token."""
        suite = self._suite(algorithm)
        self._clear(place.id)
        self._known[place.id] = self._session.generate_key(
            _member(KeyType, suite.key_type),
            None if algorithm is Algorithm.TDES else 8 * KEY_BYTES,
            mechanism=_member(Mechanism, suite.generate),
            **self._kept(place, suite),
        )

    def put_in(self, algorithm: Algorithm, place: Place, value: bytes) -> None:
        """A key of 16 bytes that was made elsewhere."""
        suite = self._suite(algorithm)
        self._clear(place.id)
        channel, secret = self._open_channel()
        self._known[place.id] = channel.unwrap_key(
            ObjectClass.SECRET_KEY,
            _member(KeyType, suite.key_type),
            aes_key_wrap(secret, value),
            mechanism=Mechanism.AES_KEY_WRAP,
            **self._kept(place, suite),
        )

    def derive(self, algorithm: Algorithm, base: bytes, data: bytes, place: Place) -> None:
        """E(base, data) as a key of the token; without C_DeriveKey by way of this process."""
        suite = self._suite(algorithm)
        if suite.derive is None:
            value = self.encrypt(algorithm, base, data)
            try:
                self.put_in(algorithm, place, value)
            finally:
                wipe(value)
            return
        self._clear(place.id)
        template = self._kept(place, suite)
        self._known[place.id] = self._derived(base, suite.derive, data, _member(KeyType, suite.key_type), template)

    def take_out(self, algorithm: Algorithm, base: bytes, data: bytes) -> bytes:
        """E(base, each 16 bytes of data) as values, by way of a passing object that may be wrapped."""
        suite = self._suite(algorithm)
        if suite.derive is None:
            return self.encrypt(algorithm, base, data)
        channel, secret = self._open_channel()
        passing = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: True, Attribute.VALUE_LEN: KEY_BYTES}
        found = []
        for at in range(0, len(data), KEY_BYTES):
            options = {"capabilities": MechanismFlag(0), "template": passing}
            child = self._derived(base, suite.derive, data[at : at + KEY_BYTES], KeyType.GENERIC_SECRET, options)
            found.append(aes_key_unwrap(secret, channel.wrap_key(child, mechanism=Mechanism.AES_KEY_WRAP)))
            child.destroy()
        raw = b"".join(found)
        wipe(*(found if len(found) > 1 else ()))
        return raw

    def encrypt(self, algorithm: Algorithm, id: bytes, data: bytes) -> bytes:
        """ECB of whole blocks, as few calls as the device's limit allows."""
        ecb, size = _member(Mechanism, self._suite(algorithm).ecb), self._settings.call_bytes

        def work(key: Any) -> bytes:
            pieces = (data[at : at + size] for at in range(0, len(data), size))
            return b"".join(key.encrypt(piece, mechanism=ecb) for piece in pieces)

        found: bytes = self._with(id, work)
        return found

    def chain(self, algorithm: Algorithm, ref: bytes, state: bytes, columns: list[bytes]) -> bytes:
        """CBC of many messages side by side: `columns[i]` holds block i of each; the last block of each comes back.

        3DES runs under the left half and ends under the whole key (ISO 9797-1 algorithm 3). A few long messages go one
        by one through CBC, many short ones together through ECB: whatever takes fewer calls.
        """
        key, running = ref + bytes([KEY]), ref + bytes([LEFT if algorithm is Algorithm.TDES else KEY])
        cbc, block = self._suite(algorithm).cbc, block_bytes(algorithm)
        if cbc is not None and len(columns) > 2 and len(state) // block < len(columns) - 1:
            parts = range(0, len(state), block)
            texts = (b"".join(column[at : at + block] for column in columns[:-1]) for at in parts)
            starts = (state[at : at + block] for at in parts)
            state = b"".join(self._run(running, cbc, *of)[-block:] for of in zip(starts, texts, strict=True))
            columns = columns[-1:]
        for place, column in enumerate(columns, 1):
            mixed = int.from_bytes(state, "big") ^ int.from_bytes(column, "big")
            state = self.encrypt(
                algorithm, key if place == len(columns) else running, mixed.to_bytes(len(state), "big")
            )
        return state

    def _run(self, id: bytes, cbc: int, start: bytes, text: bytes) -> bytes:
        """One message through CBC."""
        mechanism = _member(Mechanism, cbc)
        found: bytes = self._with(id, lambda key: key.encrypt(text, mechanism=mechanism, mechanism_param=start))
        return found

    def check_value(self, algorithm: Algorithm, id: bytes, length: int) -> bytes:
        """The first bytes of a zero block under a key. Where a key may only derive, of a passing child of that block.

        A key derived from data D by ECB *is* E(key, D): taken out, it is the cryptogram that the key may not answer.
        """
        zeros = bytes(block_bytes(algorithm))
        if self._with(id, lambda key: bool(key[Attribute.ENCRYPT])):
            return self.encrypt(algorithm, id, zeros)[:length]
        return self.take_out(algorithm, id, bytes(KEY_BYTES))[:length]

    def remove(self, ref: bytes) -> int:
        """Destroy all parts of a key: how many objects there were."""
        return sum(self._drop(ref + bytes([part])) for part in (KEY, LEFT, CRADLE))

    def _clear(self, id: bytes) -> None:
        """Before a new object: the first of a session may be the second attempt at one that a lost session made."""
        if not self._made_before:
            self._drop(id)
            self._made_before = True

    def _drop(self, id: bytes) -> int:
        self._known.pop(id, None)
        found = list(self._session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.ID: id}))
        for each in found:
            each.destroy()
        return len(found)

    def _suite(self, algorithm: Algorithm) -> Suite:
        found = self._suites.get(algorithm)
        if found is None:
            known = ", ".join(each.name for each in self._suites) or "-"
            raise Refused(Code.MACHINE_TOKEN_ALGORITHM, algorithm=algorithm.name, known=known)
        return found

    def _kept(self, place: Place, suite: Suite) -> dict[str, Any]:
        derives = place.begets and suite.derive is not None
        return {
            "id": place.id,
            "label": place.label,
            "store": True,
            "capabilities": MechanismFlag.DERIVE if derives else MechanismFlag.ENCRYPT,
            "template": _LOCKED_IN,
        }

    def _derived(self, base: bytes, mechanism: int, data: bytes, kind: KeyType, options: dict[str, Any]) -> Any:
        text = ctypes.create_string_buffer(data, len(data))
        parameter = struct.pack("PN", ctypes.addressof(text), len(data))  # CK_KEY_DERIVATION_STRING_DATA
        if kind in (KeyType.DES2, KeyType.DES3):  # of a fixed length: a template must not name it
            options = options | {"template": {**options["template"], Attribute.VALUE_LEN: DEFAULT}}
        number = _member(Mechanism, mechanism)
        given = data if number is Mechanism.AES_ECB_ENCRYPT_DATA else parameter
        return self._with(
            base,
            lambda key: key.derive_key(kind, 8 * KEY_BYTES, mechanism=number, mechanism_param=given, **options),
        )

    def _with(self, id: bytes, work: Callable[[Any], Any]) -> Any:
        """Work with an object, found once and remembered; found anew when it was exchanged under our hands."""
        known = self._known.get(id)
        if known is not None:
            try:
                return work(known)
            except (pkcs11.KeyHandleInvalid, pkcs11.ObjectHandleInvalid):
                del self._known[id]
        for found in self._session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.ID: id}):
            self._known[id] = found
        if id not in self._known:
            raise Refused(Code.MACHINE_TOKEN_KEY_MISSING, ref=id[:REF_BYTES].hex())
        return work(self._known[id])

    def _open_channel(self) -> tuple[Any, bytes]:
        """An AES key of this session, in the token and here."""
        if self._channel is None:
            private = rsa.generate_private_key(65537, _RSA_BITS)
            numbers = private.public_key().public_numbers()
            public = self._session.create_object(
                {
                    Attribute.CLASS: ObjectClass.PUBLIC_KEY,
                    Attribute.KEY_TYPE: KeyType.RSA,
                    Attribute.MODULUS: numbers.n.to_bytes(_RSA_BITS // 8, "big"),
                    Attribute.PUBLIC_EXPONENT: numbers.e.to_bytes(3, "big"),
                    Attribute.WRAP: True,
                    Attribute.TOKEN: False,
                }
            )
            key = self._session.generate_key(
                KeyType.AES,
                _CHANNEL_BITS,
                capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP,
                template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: True},
            )
            oaep = (Mechanism.SHA_1, MGF.SHA1, None)
            wrapped = public.wrap_key(key, mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=oaep)
            unpadding = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)  # noqa: S303
            self._channel = key, private.decrypt(wrapped, unpadding)
            public.destroy()
        return self._channel


def _member(kind: type[E], number: int) -> E:
    """The library's enum member of a number; a vendor's number becomes a member, for the library takes nothing else."""
    try:
        return kind(number)
    except ValueError:
        member = int.__new__(kind, number)
        member._name_, member._value_ = f"VENDOR_{number:08X}", number
        kind._value2member_map_[number] = member
        return member


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
