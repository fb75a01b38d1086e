"""Whatever comes over the line, the machine goes on: no crash, no fault, no answer that it should not give (H5)."""

from __future__ import annotations

import random
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.custodians import present, share_out

from sheka.equipment.encryption_machine.addresses import Address
from sheka.equipment.encryption_machine.calls import CALLS
from sheka.equipment.encryption_machine.frames import LENGTH, FrameReader, Guard, frame, pack, unpack
from sheka.equipment.encryption_machine.handshake import greet
from sheka.equipment.encryption_machine.launch import MachineHandle, start_machine
from sheka.equipment.encryption_machine.model import WHILE_SEALED, Usage, Verb
from sheka.equipment.encryption_machine.sealed_entry import seal_for
from sheka.equipment.encryption_machine.wire import Batch, decode_refusal, encode
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

SECRET = b"the fuzzer's own secret, 32 bytes"
LINES = pytest.mark.parametrize("kind", ["unix", "tcp"])
EVERY = pytest.mark.parametrize("kind", ["unix", "tcp", "sealed", "new"])
"""Open machines on both kinds of line; one that its custodians have to open; one that was never shared out."""
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
EIGHT = b"46010017"


@pytest.fixture(scope="module")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, MachineHandle]]:
    """Machines of this file's own; at the end they are alive and their logs of faults empty."""
    started = {
        kind: start_machine(tmp_path_factory.mktemp(kind), callers={"fuzzer": SECRET}, address=address, custodians=new)
        for kind, address, new in (
            ("unix", None, False),
            ("tcp", "tcp:127.0.0.1:0", False),
            ("sealed", None, True),
            ("new", None, True),
        )
    }
    with started["sealed"].client("fuzzer") as machine:
        custodians = share_out(machine, 2, 3)
        machine.seal()
    yield started
    for kind, handle in started.items():
        with handle.client("fuzzer") as machine:
            if kind == "sealed":
                for holder in (1, 3):
                    present(machine, holder, custodians[holder - 1].text)
            if kind == "new":
                assert machine.describe().sealed
                share_out(machine, 2, 2)
            assert machine.verify_log().ok
        assert handle.stop() == 0
        assert (handle.config.parent / "process.log").read_text() == ""


@contextmanager
def logged_in(handle: MachineHandle) -> Iterator[tuple[socket.socket, FrameReader, Guard]]:
    address = Address.parse(handle.address)
    with address.connect(10) as line:
        reader, steps = FrameReader(line.recv), greet(address, "fuzzer", SECRET)
        body = next(steps)
        while True:
            line.sendall(frame(body))
            try:
                body = steps.send(reader.read() or b"")
            except StopIteration as finished:
                yield line, reader, finished.value
                return


def ask(handle: MachineHandle, code: int, payload: bytes) -> Code | None:
    """Send one request on a line of its own; the code of the refusal, or None when it was done."""
    with logged_in(handle) as (line, reader, guard):
        line.sendall(b"".join(pack(77, code, payload, guard)))
        number, done, answer = unpack(reader.read() or b"", guard)
        assert number == 77
        return decode_refusal(answer).code if done else None


@pytest.fixture(scope="module")
def keys(victims: dict[str, MachineHandle]) -> dict[str, list[str]]:
    """Keys of every usage in each machine, so that mutated requests reach the ciphers."""
    found: dict[str, list[str]] = {}
    for kind, handle in victims.items():
        found[kind] = []
        if kind not in ("unix", "tcp"):
            continue
        with handle.client("fuzzer") as machine:
            found[kind] = [
                machine.generate(f"{usage}{way}", algorithm, usage, 1, algorithm.name, diversified=way).ref
                for usage in Usage
                for algorithm in Algorithm
                for way in (True, False)
            ]
    return found


@EVERY
@FEW
@given(garbage=st.binary(max_size=300))
def test_garbage_instead_of_a_greeting(victims: dict[str, MachineHandle], kind: str, garbage: bytes) -> None:
    for sent in (garbage, frame(garbage[:1000])):
        with Address.parse(victims[kind].address).connect(10) as line:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            reader = FrameReader(line.recv)
            answers = []
            try:
                while (body := reader.read()) is not None:
                    answers.append(body)
            except (EOFError, ConnectionResetError):
                pass
            assert all(body[:1] == b"\1" for body in answers)
    with victims[kind].client("fuzzer") as machine:
        assert machine.describe()


@EVERY
@FEW
@given(code=st.integers(0, 65535), payload=st.binary(max_size=300))
def test_random_requests(victims: dict[str, MachineHandle], kind: str, code: int, payload: bytes) -> None:
    found = ask(victims[kind], code, payload)
    assert found is not Code.MACHINE_FAULT
    if code not in set(Verb):
        assert found is Code.MACHINE_VERB_UNKNOWN
    elif kind in ("sealed", "new") and Verb(code) not in ANSWERED:
        assert found in (Code.MACHINE_SEALED, Code.MACHINE_FRAME_BAD)


ANSWERED = WHILE_SEALED | {Verb.SHARE_OUT, Verb.CONFIRM_SHARES, Verb.RESTORE, Verb.SEAL}


def arguments(verb: Verb, draw: random.Random, refs: list[str]) -> tuple[Any, ...]:
    """Plausible arguments: right kinds, lengths that are often right, references that exist."""
    ref = lambda: draw.choice([*refs, "0" * 32])  # noqa: E731
    length = draw.choice([0, 1, 4, 8, 8, 8, 12, 16, 26, 30])
    count = draw.choice([0, 1, 2, 2, 150])
    batch = lambda: Batch.of(secrets.token_bytes(length) for _ in range(count))  # noqa: E731
    by_name: dict[str, Any] = {
        "BATCH": batch,
        "OPTIONAL_BATCH": lambda: draw.choice([None, batch()]),
        "TEXT": lambda: draw.choice([ref(), ref(), ref(), "", "MAC", "名称", "x" * 300]),
        "TEXTS": lambda: [ref() for _ in range(draw.choice([0, 1, 3]))],
        "BLOB": lambda: secrets.token_bytes(draw.choice([0, 1, 2, 4, 8, 8, 16, 65, 400])),
        "BLOBS": lambda: [secrets.token_bytes(draw.choice([1, 65])) for _ in range(draw.choice([0, 2, 3]))],
        "U8": lambda: draw.randrange(256),
        "U16": lambda: draw.randrange(65536),
        "U32": lambda: draw.randrange(2**32),
    }
    from sheka.equipment.encryption_machine import wire

    names = {id(getattr(wire, name)): name for name in by_name}
    return tuple(by_name[names[id(codec)]]() for codec in CALLS[verb].takes)


@EVERY
@pytest.mark.parametrize("verb", list(Verb), ids=lambda verb: verb.name)
def test_plausible_and_mutated_requests(
    victims: dict[str, MachineHandle], keys: dict[str, list[str]], kind: str, verb: Verb
) -> None:
    draw = random.Random(f"{kind}{verb}")  # the same requests every run
    refs = list(keys[kind])
    if verb is Verb.DESTROY:
        refs = ["0" * 32]
    with logged_in(victims[kind]) as (line, reader, guard):
        for number in range(60):
            payload = encode(CALLS[verb].takes, arguments(verb, draw, refs))
            if payload and number % 3 == 0:
                place = draw.randrange(len(payload))
                payload = draw.choice(
                    [
                        payload[:place],
                        payload + b"\0",
                        payload[:place] + bytes((draw.randrange(256),)) + payload[place + 1 :],
                    ]
                )
            line.sendall(b"".join(pack(number, verb, payload, guard)))
            again, done, answer = unpack(reader.read() or b"", guard)
            assert again == number
            if done:
                assert decode_refusal(answer).code is not Code.MACHINE_FAULT


@LINES
def test_a_length_beyond_the_limit_ends_the_line_with_a_reason(victims: dict[str, MachineHandle], kind: str) -> None:
    with logged_in(victims[kind]) as (line, reader, guard):
        line.sendall(LENGTH.pack(2**32 - 1) + b"x" * 100)
        number, done, answer = unpack(reader.read() or b"", guard)
        assert (number, done) == (0, 1)
        assert decode_refusal(answer).code is Code.MACHINE_FRAME_TOO_LONG
        with suppress(ConnectionResetError):  # the machine closed with our bytes unread
            assert reader.read() is None


@EVERY
@pytest.mark.parametrize("length", [1025, 2**24, 2**32 - 1])
def test_a_huge_length_before_the_log_in_is_refused_at_once(
    victims: dict[str, MachineHandle], kind: str, length: int
) -> None:
    with Address.parse(victims[kind].address).connect(10) as line:
        line.sendall(LENGTH.pack(length))
        body = FrameReader(line.recv).read()
        assert body is not None
        assert body[:1] == b"\1"
        assert decode_refusal(body[1:]).code is Code.MACHINE_FRAME_TOO_LONG


@pytest.mark.parametrize("kind", ["unix", "sealed", "new"])
@FEW
@given(text=st.binary(max_size=300), number=st.integers(0, 255))
def test_whatever_a_custodian_seals_is_refused_or_taken(
    victims: dict[str, MachineHandle], keys: dict[str, list[str]], kind: str, text: bytes, number: int
) -> None:
    """Well-sealed entries with anything in them: past the cipher, into the reading of shares and components."""
    with victims[kind].client("fuzzer") as machine:
        for use in (machine.unseal, partial(machine.enter_component, "0" * 32)):
            key = machine.entry_key()
            with pytest.raises(Refused) as refusal:
                use(number, key.id, seal_for(key.public_key, key.id, text))
            assert refusal.value.code is not Code.MACHINE_FAULT


@LINES
@pytest.mark.parametrize("body", [b"", b"12345", b"\0" * 5], ids=["empty", "short", "zeros"])
def test_a_frame_without_a_head_ends_the_line(victims: dict[str, MachineHandle], kind: str, body: bytes) -> None:
    with logged_in(victims[kind]) as (line, reader, _):
        line.sendall(frame(body))
        assert reader.read() is None


def test_a_frame_changed_on_tcp_ends_the_line(victims: dict[str, MachineHandle]) -> None:
    with logged_in(victims["tcp"]) as (line, reader, guard):
        whole = b"".join(pack(1, Verb.DESCRIBE, b"", guard))
        line.sendall(whole[:-1] + bytes((whole[-1] ^ 1,)))
        assert reader.read() is None


@LINES
def test_callers_that_vanish_at_any_point_leave_nothing_behind(victims: dict[str, MachineHandle], kind: str) -> None:
    handle = victims[kind]
    tasks = Path(f"/proc/{handle.process.pid}/task")
    address = Address.parse(handle.address)
    for cut in range(0, 80, 7):
        line = address.connect(10)
        line.sendall(frame(next(greet(address, "fuzzer", SECRET)))[:cut])
        line.close()
        with logged_in(handle) as (line, _, guard):
            line.sendall(b"".join(pack(1, Verb.LIST_KEYS, b"", guard))[: cut % 12])
    with handle.client("fuzzer") as machine:
        for _ in range(100):
            machine.describe()
            if len(list(tasks.iterdir())) <= 4:
                break
    assert len(list(tasks.iterdir())) <= 4


def test_lines_that_say_nothing_are_dropped_and_hold_up_nobody(victims: dict[str, MachineHandle]) -> None:
    """Half-open connections: dropped after the log-in time, the others served meanwhile."""
    address = Address.parse(victims["unix"].address)
    silent = [address.connect(10) for _ in range(20)]
    silent[0].sendall(b"\0\0")
    with victims["unix"].client("fuzzer") as machine:
        assert machine.describe()
    for line in silent:
        assert line.recv(1) == b""
        line.close()
