"""Both sides prove themselves before a verb is heard (H5, K6)."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sheka.equipment.encryption_machine.addresses import Address
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.frames import Bare, FrameReader, Guard, Sealed, frame, pack, unpack
from sheka.equipment.encryption_machine.handshake import MAGIC, Reception, greet
from sheka.equipment.encryption_machine.launch import MachineHandle
from sheka.foundation.refusals import Code, Refused

SECRET = b"a secret of the caller and of the machine"
UNIX, TCP = Address.parse("unix:/x"), Address.parse("tcp:x:1")


def meet(address: Address, caller: str, secret: bytes, kind: str, known: dict[str, bytes]) -> tuple[Guard, Guard, str]:
    """Let both sides talk in this process: the caller's guard, the machine's guard, the name."""
    steps, reception = greet(address, caller, secret), Reception(kind, known.get)
    proof = steps.send(reception.challenge(next(steps)))
    answer, name, guard = reception.welcome(proof)
    with pytest.raises(StopIteration) as finished:
        steps.send(answer)
    return finished.value.value, guard, name


@pytest.mark.req("H5")
def test_both_sides_agree_and_tcp_is_sealed() -> None:
    ours, theirs, name = meet(UNIX, "switch", SECRET, "unix", {"switch": SECRET})
    assert (type(ours), type(theirs), name) == (Bare, Bare, "switch")
    ours, theirs, _ = meet(TCP, "交易", SECRET, "tcp", {"交易": SECRET})
    assert isinstance(ours, Sealed)
    for sender, receiver in ((ours, theirs), (theirs, ours)):
        assert unpack(b"".join(pack(1, 2, b"x", sender))[4:], receiver) == (1, 2, b"x")


@pytest.mark.parametrize(
    ("caller", "secret", "kind"),
    [("switch", SECRET[::-1], "unix"), ("nobody", SECRET, "unix"), ("", SECRET, "unix"), ("switch", SECRET, "tcp")],
    ids=["wrong secret", "unknown name", "no name", "line of another kind"],
)
def test_who_cannot_prove_is_turned_away(caller: str, secret: bytes, kind: str) -> None:
    with pytest.raises(Refused) as refusal:
        meet(UNIX, caller, secret, kind, {"switch": SECRET})
    assert refusal.value.code is Code.MACHINE_CALLER_REFUSED


def test_a_short_secret_is_not_even_tried() -> None:
    with pytest.raises(Refused) as refusal:
        next(greet(UNIX, "switch", b"short"))
    assert refusal.value.code is Code.MACHINE_SECRET_MISSING


@pytest.mark.parametrize(
    "greeting", [b"", b"GET / HTTP/1.1", MAGIC, MAGIC + b"\x09short", MAGIC + b"\2\xff\xfe" + bytes(32)]
)
def test_anything_but_a_greeting_is_refused(greeting: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        Reception("unix", {}.get).challenge(greeting)
    assert refusal.value.code is Code.MACHINE_FRAME_BAD


@contextmanager
def impostor(answers: list[bytes]) -> Iterator[str]:
    """Something that listens and answers, knowing no secret."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            line, _ = listener.accept()
            with line:
                reader = FrameReader(line.recv)
                for answer in answers:
                    if reader.read() is None:
                        return
                    line.sendall(frame(answer))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp:127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


@pytest.mark.req("K6")
def test_an_impostor_gets_no_request() -> None:
    with impostor([bytes(33), bytes(33)]) as address, pytest.raises(Refused) as refusal:
        EncryptionMachine(address, "switch", SECRET).describe()
    assert refusal.value.code is Code.MACHINE_NOT_GENUINE
    assert refusal.value.facts["address"] == address


@pytest.mark.parametrize("answers", [[b""], [b"\7what"], [b"\0short"], [b"\1\xff"], [bytes(33), b"\2"]])
def test_a_confused_machine_is_refused_without_a_crash(answers: list[bytes]) -> None:
    with impostor(answers) as address, pytest.raises(Refused) as refusal:
        EncryptionMachine(address, "switch", SECRET).describe()
    assert refusal.value.code in (Code.MACHINE_FRAME_BAD, Code.MACHINE_UNREACHABLE)


@pytest.mark.req("K6")
def test_a_recorded_log_in_opens_nothing(unix_process: MachineHandle) -> None:
    """Replay what a caller sent: the machine's random number is another one now."""
    address = Address.parse(unix_process.address)
    with address.connect(5) as line:
        reader, steps = FrameReader(line.recv), greet(address, "tester", bytes(range(32)))
        greeting = next(steps)
        line.sendall(frame(greeting))
        proof = steps.send(reader.read() or b"")
        line.sendall(frame(proof))
        assert (reader.read() or b"")[:1] == b"\0"
    with address.connect(5) as line:
        reader = FrameReader(line.recv)
        line.sendall(frame(greeting))
        reader.read()
        line.sendall(frame(proof))
        assert (reader.read() or b"")[:1] == b"\1"
        assert reader.read() is None


def test_refused_log_ins_are_counted_and_look_alike(unix_process: MachineHandle) -> None:
    with unix_process.client("tester") as machine:
        before = machine.describe().refused_logins
        for caller, secret in (("tester", secrets.token_bytes(32)), ("nobody", secrets.token_bytes(32))):
            with pytest.raises(Refused) as refusal:
                EncryptionMachine(unix_process.address, caller, secret).describe()
            assert refusal.value.code is Code.MACHINE_CALLER_REFUSED
        assert machine.describe().refused_logins == before + 2


def test_nobody_there_is_said_so() -> None:
    for address in ("unix:/nonexistent/machine.sock", "tcp:127.0.0.1:1"):
        with pytest.raises(Refused) as refusal:
            EncryptionMachine(address, "switch", SECRET).describe()
        assert refusal.value.code is Code.MACHINE_UNREACHABLE
