"""The process that holds the PKCS#11 module (H5): one session, one call at a time, over a socket from its machine.

A vendor's library that hangs or crashes takes this process with it and nothing else. It ends when its machine does.
`python -m sheka.equipment.encryption_machine.pkcs11.worker N`: N is the socket's descriptor.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import pkcs11
from sheka.equipment.encryption_machine.hygiene import harden_process
from sheka.equipment.encryption_machine.pkcs11.token import Token
from sheka.foundation.refusals import Code, Refused

CALLS = frozenset(
    {"about", "log_in", "generate", "put_in", "derive", "take_out", "encrypt", "chain", "check_value", "remove"}
)

_LOST = (
    pkcs11.DeviceError,
    pkcs11.DeviceRemoved,
    pkcs11.GeneralError,
    pkcs11.SessionClosed,
    pkcs11.SessionHandleInvalid,
    pkcs11.TokenNotPresent,
    pkcs11.TokenNotRecognised,
    pkcs11.UserNotLoggedIn,
)
"""What a device says that was pulled, restarted or logged out: a new session may help."""

Answer = tuple[bool, Any]
"""(True, result) or (False, (refusal's number, facts))."""


def main(descriptor: int) -> int:
    """Serve until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the machine; it ends us
    harden_process()
    with Connection(descriptor) as line, suppress(EOFError, OSError):  # the machine has gone, however it went
        _serve(line)
    return 0


def _serve(line: Connection) -> None:
    token: Token | None = None
    settings = line.recv()
    while True:
        name, arguments = line.recv()
        try:
            if token is None:
                token = Token(settings)
            line.send(_answer(token, name, arguments))
        except Refused as refusal:
            line.send(_refused(refusal))


def _answer(token: Token, name: str, arguments: tuple[Any, ...]) -> Answer:
    if name not in CALLS:
        raise Refused(Code.MACHINE_TOKEN_FAILED, call=name, reason="unknown")
    try:
        return True, getattr(token, name)(*arguments)
    except _LOST as error:
        raise Refused(Code.MACHINE_TOKEN_LOST, reason=type(error).__name__) from None
    except pkcs11.PKCS11Error as error:
        raise Refused(Code.MACHINE_TOKEN_FAILED, call=name, reason=type(error).__name__) from None


def _refused(refusal: Refused) -> Answer:
    return False, (refusal.number, {name: str(value) for name, value in refusal.facts.items()})


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
