"""The machine's server: a thread for each connection, so that one caller's large batch does not hold up the others'
(H5).

Nothing that comes over the line ends the process: a frame that is malformed, too long, cut off or unknown is refused or
its connection closed. Before the log-in a connection has five seconds and one kilobyte a frame; a frame once begun has
thirty seconds. The answers of one connection come in the order of its requests.
"""

from __future__ import annotations

import os
import secrets
import selectors
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sheka.equipment.encryption_machine.addresses import Address
from sheka.equipment.encryption_machine.calls import CALLS
from sheka.equipment.encryption_machine.frames import (
    DONE,
    MAX_GREETING,
    REFUSED,
    FrameReader,
    Guard,
    frame,
    pack,
    send,
    unpack,
)
from sheka.equipment.encryption_machine.handshake import Reception, refusal_body
from sheka.equipment.encryption_machine.machine import Driver
from sheka.equipment.encryption_machine.model import Verb
from sheka.equipment.encryption_machine.rights import Caller, Rights
from sheka.equipment.encryption_machine.wire import decode, encode, encode_refusal
from sheka.foundation.refusals import Code, Refused

LOGIN_SECONDS = 5.0
FRAME_SECONDS = 30.0
STOP_SECONDS = 5.0
TURN_AWAY_SECONDS = 1.0
SPARE_LINES = 16
"""Lines above the limit that are told why they are turned away; more are closed without a word."""


@dataclass(frozen=True, slots=True)
class Account:
    """A caller's secret and rights."""

    secret: bytes
    rights: Rights


def listen(address: Address) -> tuple[socket.socket, Address]:
    """A listening socket and its address (port 0 filled in); `MACHINE_ADDRESS_TAKEN` when another program holds it.

    A unix socket that nobody listens on any more is removed; the new one is for the owner only.
    """
    try:
        if address.kind == "tcp":
            line = socket.create_server((address.host, address.port), backlog=64)
            return line, Address("tcp", address.path, address.host, line.getsockname()[1])
        _remove_stale(address)
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.bind(str(address.path))
        address.path.chmod(0o600)
        line.listen(64)
        return line, address
    except OSError as error:
        if error.errno in (98, 13):  # in use, or not ours to use
            raise Refused(Code.MACHINE_ADDRESS_TAKEN, address=str(address)) from None
        raise Refused(Code.MACHINE_ADDRESS_BAD, address=str(address), reason=error.strerror or str(error)) from None


def _remove_stale(address: Address) -> None:
    if not address.path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.settimeout(2.0)
        try:
            trial.connect(str(address.path))
        except ConnectionRefusedError:
            address.path.unlink()
            return
    raise Refused(Code.MACHINE_ADDRESS_TAKEN, address=str(address))


class Server:
    """Serves a driver's verbs on one address until `stop` is called (from any thread or a signal handler)."""

    def __init__(
        self, driver: Driver, address: Address, accounts: Mapping[str, Account], *, max_connections: int = 64
    ) -> None:
        self._driver, self._accounts, self._limit = driver, dict(accounts), max_connections
        self._listener, self.address = listen(address)
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_in, False)
        self._lock = threading.Lock()
        self._waking = threading.RLock()  # a signal may call `stop` while the same thread closes
        self._lines: dict[socket.socket, threading.Thread] = {}
        self._stopping = self._closed = False

    def stop(self) -> None:
        """End `serve` soon; requests under way are answered first."""
        self._stopping = True
        with self._waking:
            if not self._closed:
                with suppress(BlockingIOError):  # full of earlier calls: it wakes without this one
                    os.write(self._wake_in, b".")

    def serve(self, watched: int | None = None) -> None:
        """Accept until `stop`, or until the file descriptor `watched` ends (the program that started us has gone)."""
        with selectors.DefaultSelector() as selector:
            for source in (self._listener, self._wake_out, watched):
                if source is not None:
                    selector.register(source, selectors.EVENT_READ)
            while not self._stopping:
                for key, _ in selector.select():
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj == watched and not os.read(watched, 4096):
                        self._stopping = True
        self._close()

    def _accept(self) -> None:
        try:
            line, _ = self._listener.accept()
        except OSError:
            time.sleep(0.05)  # out of file descriptors: those who are in go on
            return
        with self._lock:
            taken = len(self._lines)
            if taken < self._limit + SPARE_LINES:
                task = self._attend if taken < self._limit else self._turn_away
                thread = threading.Thread(target=task, args=(line,), daemon=True)
                with suppress(RuntimeError):  # no more threads to be had
                    thread.start()
                    self._lines[line] = thread
                    return
        line.close()

    def _close(self) -> None:
        if self.address.kind == "unix":
            self.address.path.unlink(missing_ok=True)
        self._listener.close()
        with self._lock:
            under_way = list(self._lines.items())
        for line, _ in under_way:
            _shut(line, socket.SHUT_RD)
        until = time.monotonic() + STOP_SECONDS
        for line, thread in under_way:
            thread.join(max(0.0, until - time.monotonic()))
            _shut(line, socket.SHUT_RDWR)
        with self._waking:
            self._closed = True
            os.close(self._wake_in)
            os.close(self._wake_out)

    def _attend(self, line: socket.socket) -> None:
        self._hold(line, self._converse)

    def _turn_away(self, line: socket.socket) -> None:
        """Tell a caller that came too late why; its greeting is read first, so that the answer reaches it."""

        def refuse(line: socket.socket) -> None:
            line.settimeout(TURN_AWAY_SECONDS)
            _greeting(FrameReader(line.recv))
            line.sendall(frame(refusal_body(Refused(Code.MACHINE_BUSY, limit=self._limit))))

        self._hold(line, refuse)

    def _hold(self, line: socket.socket, task: Callable[[socket.socket], None]) -> None:
        try:
            with line:
                task(line)
        except (OSError, EOFError, Refused):
            pass  # the caller has gone, or sent what ends a connection: nobody is left to tell
        except Exception:
            traceback.print_exc(file=sys.stderr)
        finally:
            with self._lock:
                self._lines.pop(line, None)

    def _converse(self, line: socket.socket) -> None:
        if self.address.kind == "tcp":
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        deadline = time.monotonic() + LOGIN_SECONDS
        logged_in = False

        def read_some(most: int) -> bytes:
            if not logged_in:
                line.settimeout(max(0.001, deadline - time.monotonic()))
            return line.recv(most)

        reader = FrameReader(read_some)
        caller, guard = self._log_in(line, reader)
        logged_in = True
        line.settimeout(FRAME_SECONDS)
        while not self._stopping:
            try:
                body = reader.read()
            except TimeoutError:
                if reader.between_frames:
                    continue
                raise
            except Refused as refusal:
                send(line, pack(0, REFUSED, encode_refusal(refusal), guard))
                raise
            if body is None:
                return
            send(line, self.answer(caller, body, guard))

    def _log_in(self, line: socket.socket, reader: FrameReader) -> tuple[Caller, Guard]:
        reception = Reception(self.address.kind, self._secret_of)
        try:
            line.sendall(frame(reception.challenge(_greeting(reader))))
            answer, name, guard = reception.welcome(_greeting(reader))
        except Refused as refusal:
            if refusal.code is Code.MACHINE_CALLER_REFUSED:
                with self._lock:
                    self._driver.refused_logins += 1
            line.sendall(frame(refusal_body(refusal)))
            raise
        line.sendall(frame(answer))
        return Caller(name, self._accounts[name].rights), guard

    def answer(self, caller: Caller, body: bytes, guard: Guard) -> list[bytes]:
        """The frame that answers one request's body; a frame that does not authenticate ends the connection."""
        number, code, payload = unpack(body, guard)
        try:
            try:
                verb = Verb(code)
            except ValueError:
                raise Refused(Code.MACHINE_VERB_UNKNOWN, verb=code) from None
            caller.need_verb(verb)
            call = CALLS[verb]
            found = self._driver.call(caller, verb, decode(call.takes, payload))
            return pack(number, DONE, encode((call.gives,), (found,)), guard)
        except Refused as refusal:
            return pack(number, REFUSED, encode_refusal(refusal), guard)
        except Exception:
            incident = secrets.token_hex(4).upper()
            print(f"incident {incident}", file=sys.stderr)  # noqa: T201
            traceback.print_exc(file=sys.stderr)
            fault = Refused(Code.MACHINE_FAULT, incident=incident)
            return pack(number, REFUSED, encode_refusal(fault), guard)

    def _secret_of(self, caller: str) -> bytes | None:
        account = self._accounts.get(caller)
        return None if account is None else account.secret


def _greeting(reader: FrameReader) -> bytes:
    body = reader.read(MAX_GREETING)
    if body is None:
        raise EOFError
    return body


def _shut(line: socket.socket, how: int) -> None:
    try:
        line.shutdown(how)
    except OSError:
        return
