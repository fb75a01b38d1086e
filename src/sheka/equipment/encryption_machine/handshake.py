"""Mutual log-in of caller and machine by HMAC-SM3 over both sides' random numbers (H5, K6).

    caller  → machine   greeting: "SHEKA-EM", protocol 1 ‖ name ‖ random 32
    machine → caller    0 ‖ random 32
    caller  → machine   HMAC-SM3(secret, "caller"  ‖ T)
    machine → caller    0 ‖ HMAC-SM3(secret, "machine" ‖ T)

T = SM3(kind of line ‖ greeting ‖ machine's random). The secret itself never travels; the machine's proof shows the
caller that no impostor listens. An unknown name is answered like a wrong secret. A refusal is 1 ‖ its number and facts.
On TCP both derive two SM4 keys from HMAC-SM3(secret, "session" ‖ T). The functions here hold no socket: the clients and
the server share them.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Generator

from sheka.equipment.encryption_machine.addresses import Address
from sheka.equipment.encryption_machine.frames import Bare, Guard, Sealed
from sheka.equipment.encryption_machine.wire import decode_refusal, encode_refusal
from sheka.foundation.crypto.sm3 import DIGEST_BYTES, hmac_sm3, sm3
from sheka.foundation.refusals import Code, Refused

MAGIC = b"SHEKA-EM\x01"
RANDOM_BYTES = 32
SECRET_BYTES = 16
"""Least length of a caller's secret."""

_HEAD = len(MAGIC) + 1
_OK, _NO = b"\x00", b"\x01"
_NOBODY = secrets.token_bytes(32)


def greet(address: Address, caller: str, secret: bytes) -> Generator[bytes, bytes, Guard]:
    """The caller's side: yields bodies to send, is sent the machine's bodies, returns the guard of the line.

    Raises the machine's refusal, or `MACHINE_NOT_GENUINE` when the machine does not know the secret.
    """
    if len(secret) < SECRET_BYTES:
        raise Refused(Code.MACHINE_SECRET_MISSING, what=caller, least=SECRET_BYTES)
    name = caller.encode()
    if not 0 < len(name) < 256:
        raise Refused(Code.MACHINE_CALLER_REFUSED, caller=caller)
    greeting = MAGIC + bytes((len(name),)) + name + secrets.token_bytes(RANDOM_BYTES)
    answer = _positive((yield greeting))
    if len(answer) != RANDOM_BYTES:
        raise Refused(Code.MACHINE_FRAME_BAD, what="greeting")
    transcript = sm3(address.kind.encode() + b"\n" + greeting + answer)
    proof = _positive((yield hmac_sm3(secret, b"caller" + transcript)))
    if not hmac.compare_digest(proof, hmac_sm3(secret, b"machine" + transcript)):
        raise Refused(Code.MACHINE_NOT_GENUINE, address=str(address))
    return _guard(address.kind, secret, transcript, caller_side=True)


class Reception:
    """The machine's side of one log-in: `challenge` answers the greeting, `welcome` the proof."""

    def __init__(self, kind: str, secret_of: Callable[[str], bytes | None]) -> None:
        self._kind, self._secret_of = kind, secret_of
        self._caller = ""
        self._transcript = b""

    def challenge(self, greeting: bytes) -> bytes:
        """The body that answers a greeting; `MACHINE_FRAME_BAD` when it is none."""
        self._caller = _caller_of(greeting)
        random = secrets.token_bytes(RANDOM_BYTES)
        self._transcript = sm3(self._kind.encode() + b"\n" + greeting + random)
        return _OK + random

    def welcome(self, proof: bytes) -> tuple[bytes, str, Guard]:
        """(body to send, caller's name, guard of the line); `MACHINE_CALLER_REFUSED` when the proof is wrong.

        A name that nobody has takes as long as a wrong secret.
        """
        known = self._secret_of(self._caller)
        secret = _NOBODY if known is None else known
        right = hmac.compare_digest(proof, hmac_sm3(secret, b"caller" + self._transcript))
        if known is None or not right:
            raise Refused(Code.MACHINE_CALLER_REFUSED, caller=self._caller)
        answer = _OK + hmac_sm3(secret, b"machine" + self._transcript)
        return answer, self._caller, _guard(self._kind, secret, self._transcript, caller_side=False)


def refusal_body(error: Refused) -> bytes:
    """What the machine answers when it refuses during the handshake."""
    return _NO + encode_refusal(error)


def _caller_of(greeting: bytes) -> str:
    if not greeting.startswith(MAGIC) or len(greeting) < _HEAD:
        raise Refused(Code.MACHINE_FRAME_BAD, what="not a greeting of this protocol")
    length = greeting[_HEAD - 1]
    if len(greeting) != _HEAD + length + RANDOM_BYTES:
        raise Refused(Code.MACHINE_FRAME_BAD, what="greeting")
    try:
        return greeting[_HEAD : _HEAD + length].decode()
    except UnicodeDecodeError:
        raise Refused(Code.MACHINE_FRAME_BAD, what="greeting") from None


def _positive(body: bytes) -> bytes:
    if body[:1] == _OK:
        return body[1:]
    if body[:1] == _NO:
        raise decode_refusal(body[1:])
    raise Refused(Code.MACHINE_FRAME_BAD, what="greeting")


def _guard(kind: str, secret: bytes, transcript: bytes, *, caller_side: bool) -> Guard:
    if kind == "unix":
        return Bare()
    keys = hmac_sm3(secret, b"session" + transcript)
    half = DIGEST_BYTES // 2
    from_caller, from_machine = keys[:half], keys[half:]
    return Sealed(from_caller, from_machine) if caller_side else Sealed(from_machine, from_caller)
