"""What a device answers that SoftHSM2 never does: locked PINs, pulled plugs, errors of its own (H5, K6)."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from multiprocessing import Pipe
from typing import Any

import pytest
from tests.support.softhsm import SoftToken

import pkcs11
from sheka.equipment.encryption_machine.pkcs11 import worker
from sheka.equipment.encryption_machine.pkcs11.token import Token
from sheka.foundation.refusals import Code, Refused


class Device:
    """A token of the library whose every answer is one error."""

    label = "sheka"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def open(self, **named: Any) -> Any:
        raise self.error


def logged_in(token: SoftToken, monkeypatch: pytest.MonkeyPatch, error: Exception) -> tuple[bool, Any]:
    """The worker's answer to a log-in at such a device."""
    monkeypatch.setattr(Token, "_find", lambda self: Device(error))
    with pytest.raises(Refused) as refusal:
        worker._answer(Token(token.settings), "log_in", ("1234",))
    return worker._refused(refusal.value)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (pkcs11.PinIncorrect(), Code.MACHINE_TOKEN_PIN_WRONG),
        (pkcs11.PinLenRange(), Code.MACHINE_TOKEN_PIN_WRONG),
        (pkcs11.PinLocked(), Code.MACHINE_TOKEN_PIN_LOCKED),
        (pkcs11.PinExpired(), Code.MACHINE_TOKEN_PIN_LOCKED),
        (pkcs11.UserPinNotInitialized(), Code.MACHINE_TOKEN_PIN_LOCKED),
        (pkcs11.DeviceRemoved(), Code.MACHINE_TOKEN_LOST),
        (pkcs11.TokenNotPresent(), Code.MACHINE_TOKEN_LOST),
        (pkcs11.SessionHandleInvalid(), Code.MACHINE_TOKEN_LOST),
        (pkcs11.SessionCount(), Code.MACHINE_TOKEN_FAILED),
        (pkcs11.PKCS11Error("Unmapped error code 0x80000001"), Code.MACHINE_TOKEN_FAILED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.name,
)
@pytest.mark.req("H5")
def test_every_answer_of_a_device_has_its_number(
    token: SoftToken, monkeypatch: pytest.MonkeyPatch, error: Exception, code: Code
) -> None:
    done, (number, facts) = logged_in(token, monkeypatch, error)
    assert not done
    assert number == code.value
    assert "1234" not in str(facts)


def test_a_worker_answers_calls_it_knows_only_and_ends_with_its_machine(token: SoftToken) -> None:
    ours, theirs = Pipe()
    ours.send(replace(token.settings, token="nowhere"))
    ours.send(("about", ()))
    ours.send(("__init__", ()))
    descriptor = theirs.fileno()
    done: list[Any] = []
    copy = os.dup(descriptor)
    theirs.close()
    serving = threading.Thread(target=lambda: done.append(serve(copy)))
    serving.start()
    assert ours.recv()[1][0] == Code.MACHINE_TOKEN_ABSENT.value
    assert ours.recv()[1][0] == Code.MACHINE_TOKEN_ABSENT.value
    ours.close()
    serving.join(10)
    assert done == [0]


def serve(descriptor: int) -> int:
    """The worker's loop without what it does to its process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "harden_process", lambda: None)
        patch.setattr(worker.signal, "signal", lambda *given: None)
        return worker.main(descriptor)
