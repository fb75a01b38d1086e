"""The encryption machine's asyncio client (H5): the same verbs, many requests under way on one line.

Requests from all tasks share one authenticated line; each is sent at once and its answer found by its number. A line
that broke fails the requests under way with `MACHINE_UNREACHABLE` (for a verb that changes keys: outcome unknown); the
next request opens a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from sheka.equipment.encryption_machine import requests
from sheka.equipment.encryption_machine.addresses import Address, unreachable
from sheka.equipment.encryption_machine.calls import CALLS
from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.frames import DONE, LENGTH, MAX_FRAME, Guard, frame, pack, unpack
from sheka.equipment.encryption_machine.handshake import greet
from sheka.equipment.encryption_machine.model import (
    CHANGING,
    KeyInfo,
    LogFinding,
    MachineInfo,
    Peer,
    PinFinding,
    Usage,
    Verb,
)
from sheka.equipment.encryption_machine.requests import MacItem, Request
from sheka.equipment.encryption_machine.wire import decode, decode_refusal, encode
from sheka.foundation.chip.authentication import Settlement
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

T = TypeVar("T")
_Answer = tuple[int, bytes]


class _Line:
    """One connected, authenticated stream and the requests under way on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, guard: Guard) -> None:
        self._reader, self._writer, self._guard = reader, writer, guard
        self._waiting: dict[int, asyncio.Future[_Answer]] = {}
        self._number = 0
        self.broken = False
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def open(cls, address: Address, caller: str, secret: bytes) -> _Line:
        if address.kind == "unix":
            reader, writer = await asyncio.open_unix_connection(str(address.path), limit=2**20)
        else:
            reader, writer = await asyncio.open_connection(address.host, address.port, limit=2**20)
        try:
            steps = greet(address, caller, secret)
            body = next(steps)
            while True:
                writer.write(frame(body))
                try:
                    body = steps.send(await _read(reader))
                except StopIteration as finished:
                    return cls(reader, writer, finished.value)
        except BaseException:
            writer.close()
            raise

    async def ask(self, verb: Verb, payload: bytes) -> _Answer:
        number = self._number = (self._number + 1) & 0xFFFFFFFF
        data = pack(number, verb, payload, self._guard)
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            if self._writer.is_closing():
                raise ConnectionResetError
            self._writer.writelines(data)
            await self._writer.drain()
            return await answer
        except (OSError, EOFError):
            self.broken = True
            raise
        finally:
            self._waiting.pop(number, None)
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, should writing have failed first

    async def _listen(self) -> None:
        failure: BaseException = EOFError("the machine closed the line")
        try:
            while True:
                number, code, answer = unpack(await _read(self._reader), self._guard)
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.done():
                    waiting.set_result((code, answer))
        except (OSError, EOFError, Refused) as error:
            failure = error
        finally:
            self.broken = True
            self._writer.close()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(failure)

    async def close(self) -> None:
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
        with suppress(OSError):
            await self._writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> bytes:
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    if length > MAX_FRAME:
        raise Refused(Code.MACHINE_FRAME_TOO_LONG, limit=MAX_FRAME, got=length)
    return await reader.readexactly(length)


class AsyncEncryptionMachine:
    """The machine's verbs for asyncio; arguments, answers and refusals as in `EncryptionMachine`.

    Belongs to the event loop in which it is first used. `timeout` is in seconds, for each request.
    """

    def __init__(self, address: str, caller: str, secret: bytes, *, timeout: float = 30.0) -> None:
        self._address = Address.parse(address)
        self._caller, self._secret, self._timeout = caller, secret, timeout
        self._opening = asyncio.Lock()
        self._line: _Line | None = None

    async def __aenter__(self) -> AsyncEncryptionMachine:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the line; requests under way fail, the next one opens a new line."""
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    async def _do(self, request: Request[T]) -> T:
        call = CALLS[request.verb]
        payload = encode(call.takes, request.arguments)
        try:
            async with asyncio.timeout(self._timeout):
                code, answer = await self._ask(request.verb, payload)
        except (OSError, EOFError) as error:
            raise unreachable(self._address, error) from None
        if code != DONE:
            raise decode_refusal(answer)
        value: Any = decode((call.gives,), answer)[0]
        return request.finish(value)

    async def _ask(self, verb: Verb, payload: bytes) -> _Answer:
        line = self._line
        if line is not None and not line.broken:
            try:
                return await line.ask(verb, payload)
            except (OSError, EOFError):
                if verb in CHANGING:
                    raise
        line = await self._open()
        return await line.ask(verb, payload)

    async def _open(self) -> _Line:
        if self._line is not None and not self._line.broken:
            return self._line
        async with self._opening:
            if self._line is None or self._line.broken:
                self._line = await _Line.open(self._address, self._caller, self._secret)
            return self._line

    # about the machine and its keys

    async def describe(self) -> MachineInfo:
        return await self._do(requests.describe())

    async def list_keys(self) -> list[KeyInfo]:
        return await self._do(requests.list_keys())

    async def key(self, ref: str) -> KeyInfo:
        return await self._do(requests.key(ref))

    async def generate(
        self,
        name: str,
        algorithm: Algorithm,
        usage: Usage,
        version: int = 1,
        owner: str = "",
        *,
        diversified: bool = False,
        movable: bool = False,
    ) -> KeyInfo:
        return await self._do(requests.generate(name, algorithm, usage, version, owner, diversified, movable))

    async def derive(
        self,
        parent_ref: str,
        factor8: bytes,
        *,
        name: str = "",
        owner: str = "",
        usage: Usage = Usage.DIVERSIFY,
        version: int | None = None,
        diversified: bool = True,
    ) -> KeyInfo:
        return await self._do(requests.derive(parent_ref, factor8, name, owner, usage, version, diversified))

    async def destroy(self, ref: str) -> KeyInfo:
        return await self._do(requests.destroy(ref))

    async def check_values(self, ref: str, factors: Sequence[bytes]) -> list[str]:
        return await self._do(requests.check_values(ref, factors))

    async def check_values_raw(self, ref: str, factors: bytes) -> bytes:
        return await self._do(requests.check_values_raw(ref, factors))

    # work

    async def cryptograms(self, ref: str, factors: Sequence[bytes] | None, data: Sequence[bytes]) -> list[bytes]:
        return await self._do(requests.cryptograms(ref, factors, data))

    async def cryptograms_raw(self, ref: str, data: bytes, factors: bytes | None = None) -> bytes:
        return await self._do(requests.cryptograms_raw(ref, data, factors))

    async def internal_authentication(
        self,
        ref: str,
        factors: Sequence[bytes],
        sources: Sequence[bytes],
        process_factors: Sequence[bytes] | None = None,
    ) -> list[bytes]:
        return await self._do(requests.internal_authentication(ref, factors, sources, process_factors))

    async def external_authentication(
        self,
        ref: str,
        factors: Sequence[bytes],
        challenges: Sequence[bytes],
        sources: Sequence[bytes] | None = None,
    ) -> list[bytes]:
        return await self._do(requests.external_authentication(ref, factors, challenges, sources))

    async def card_authentication_codes(
        self, ref: str, factors: Sequence[bytes], first12s: Sequence[bytes]
    ) -> list[bytes]:
        return await self._do(requests.card_authentication_codes(ref, factors, first12s))

    async def macs(
        self,
        ref: str,
        factors: Sequence[bytes] | None,
        messages: Sequence[bytes],
        ivs: Sequence[bytes] | None = None,
    ) -> list[bytes]:
        return await self._do(requests.macs(ref, factors, messages, ivs))

    async def macs_of(self, items: Sequence[tuple[str, bytes]]) -> list[bytes]:
        return await self._do(requests.macs_of(items))

    async def verify_macs(self, items: Sequence[MacItem]) -> list[bool]:
        return await self._do(requests.verify_macs(items))

    async def verify_diversified_macs(
        self,
        ref: str,
        factors: Sequence[bytes] | None,
        messages: Sequence[bytes],
        macs: Sequence[bytes],
        ivs: Sequence[bytes] | None = None,
    ) -> list[bool]:
        return await self._do(requests.verify_diversified_macs(ref, factors, messages, macs, ivs))

    # keys for chips and factories

    async def wrap_for_chips(
        self,
        refs: Sequence[str],
        factors: Sequence[bytes],
        kek_ref: str,
        kek_factors: Sequence[bytes] | None,
    ) -> list[list[bytes]]:
        return await self._do(requests.wrap_for_chips(refs, factors, kek_ref, kek_factors))

    async def wrap_for_chip(
        self,
        refs: Sequence[str],
        key_ids: Sequence[int],
        versions: Sequence[int],
        factor: bytes,
        kek_ref: str,
        kek_factor: bytes,
        challenge: bytes,
    ) -> list[bytes]:
        return await self._do(requests.wrap_for_chip(refs, key_ids, versions, factor, kek_ref, kek_factor, challenge))

    async def wrap_diversified_raw(self, ref: str, factors: bytes, kek_ref: str, kek_factor: bytes = b"") -> bytes:
        return await self._do(requests.wrap_diversified_raw(ref, factors, kek_ref, kek_factor))

    # the line to institutions

    async def wrap_for_line(self, ref: str, factors: Sequence[bytes], kek_ref: str) -> list[bytes]:
        return await self._do(requests.wrap_for_line(ref, factors, kek_ref))

    async def pin_values(
        self,
        ref: str,
        factors: Sequence[bytes],
        blocks: Sequence[bytes],
        accounts: Sequence[bytes],
        value_ref: str,
        cards: Sequence[bytes],
    ) -> list[bytes]:
        return await self._do(requests.pin_values(ref, factors, blocks, accounts, value_ref, cards))

    async def verify_pins(
        self,
        ref: str,
        factors: Sequence[bytes],
        blocks: Sequence[bytes],
        accounts: Sequence[bytes],
        value_ref: str,
        cards: Sequence[bytes],
        values: Sequence[bytes],
    ) -> list[PinFinding]:
        return await self._do(requests.verify_pins(ref, factors, blocks, accounts, value_ref, cards, values))

    async def translate_pins(
        self,
        ref: str,
        factors: Sequence[bytes],
        blocks: Sequence[bytes],
        accounts: Sequence[bytes],
        zone_ref: str,
        zone_factors: Sequence[bytes],
    ) -> list[bytes]:
        return await self._do(requests.translate_pins(ref, factors, blocks, accounts, zone_ref, zone_factors))

    async def verify_mac1(
        self,
        ref: str,
        factors: Sequence[bytes],
        sessions: Sequence[bytes],
        settlements: Sequence[Settlement],
        macs: Sequence[bytes],
    ) -> list[bool]:
        return await self._do(requests.verify_mac1(ref, factors, sessions, settlements, macs))

    # medical purchase

    async def verify_tacs(
        self,
        ref: str,
        factors: Sequence[bytes],
        settlements: Sequence[Settlement],
        terminal_sequences: Sequence[bytes],
        tacs: Sequence[bytes],
    ) -> list[bool]:
        return await self._do(requests.verify_tacs(ref, factors, settlements, terminal_sequences, tacs))

    async def mac1(
        self,
        ref: str,
        factors: Sequence[bytes],
        sessions: Sequence[bytes],
        settlements: Sequence[Settlement],
    ) -> list[bytes]:
        return await self._do(requests.mac1(ref, factors, sessions, settlements))

    async def verify_mac2(
        self,
        ref: str,
        factors: Sequence[bytes],
        sessions: Sequence[bytes],
        settlements: Sequence[Settlement],
        macs: Sequence[bytes],
    ) -> list[bool]:
        return await self._do(requests.verify_mac2(ref, factors, sessions, settlements, macs))

    # between machines

    async def public_key(self) -> bytes:
        return await self._do(requests.public_key())

    async def sign(self, message: bytes) -> bytes:
        return await self._do(requests.sign(message))

    async def register_peer(self, name: str, public: bytes, owner: str = "") -> Peer:
        return await self._do(requests.register_peer(name, public, owner))

    async def peers(self) -> list[Peer]:
        return await self._do(requests.peers())

    async def remove_peer(self, name: str) -> Peer:
        return await self._do(requests.remove_peer(name))

    async def export_envelope(self, ref: str, recipient_public: bytes) -> bytes:
        return await self._do(requests.export_envelope(ref, recipient_public))

    async def import_envelope(
        self, envelope: bytes, sender_public: bytes, *, name: str = "", owner: str = ""
    ) -> KeyInfo:
        return await self._do(requests.import_envelope(envelope, sender_public, name, owner))

    # the machine's own log

    async def verify_log(self) -> LogFinding:
        return await self._do(requests.verify_log())

    async def log(self, first: int = 1, most: int = 100) -> list[str]:
        return await self._do(requests.log(first, most))


for _name, _verb in vars(EncryptionMachine).items():
    if not _name.startswith("_") and _name != "close":
        getattr(AsyncEncryptionMachine, _name).__doc__ = _verb.__doc__
