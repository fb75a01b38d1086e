"""The encryption machine's part: MACs of requests are checked, answers get theirs, in batches (C1, design §2.8)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from typing import TypeVar

from sheka.equipment.encryption_machine import requests
from sheka.equipment.encryption_machine.aclient import AsyncEncryptionMachine
from sheka.foundation.iso8583.framing import HEADER_BYTES
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.switch.line_keys import Key
from sheka.systems.transactions.switch.requests import Request
from sheka.systems.transactions.switch.settings import CALLER, MachineAddress

log = logging.getLogger("sheka.switch")
BEAT = 1.0
MAC_BYTES = 4
PADDING = bytes(4)
FIELD_BYTES = 8
T = TypeVar("T")
Signed = tuple[Request, bytes]


class Machine(AsyncEncryptionMachine):
    """One that let a request wait for all its time is asked nothing more until it answers again: every batch with a
    message of its organisation would wait for it, and with the batch everybody else.
    """

    def __init__(self, address: str, secret: bytes, patience: float) -> None:
        super().__init__(address, CALLER, secret, timeout=patience)
        self._where, self._patience = address, patience
        self._probe: asyncio.Task[None] | None = None

    async def close(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        await super().close()

    async def _do(self, request: requests.Request[T]) -> T:
        if self._is_silent:
            raise Refused(Code.MACHINE_UNREACHABLE, address=self._where, reason=TimeoutError.__name__)
        began = time.monotonic()
        try:
            return await super()._do(request)
        except Refused as error:
            late = time.monotonic() - began >= self._patience
            if error.code is Code.MACHINE_UNREACHABLE and late and not self._is_silent:
                self._probe = asyncio.create_task(self._wait_for_it())
            raise

    @property
    def _is_silent(self) -> bool:
        return self._probe is not None and not self._probe.done()

    async def _wait_for_it(self) -> None:
        while True:
            try:
                await super()._do(requests.describe())
            except Refused as error:
                if error.code is not Code.MACHINE_UNREACHABLE:
                    return  # no good answer, but an answer
                await asyncio.sleep(BEAT)
            else:
                return


class Macs:
    """Field 64 or 128: the 4-byte command MAC over everything before it, then four zero bytes. The key decides: SM4
    CBC-MAC, padding 2, or 3DES by ISO 9797-1 algorithm 3, padding 2 (the institution's profile).

    A machine that does not answer fails closed: nothing is booked, nothing is said, the lines end.
    """

    def __init__(self, machines: dict[str, MachineAddress], patience: float) -> None:
        self._machines = {
            organisation: Machine(machine.address, machine.secret, patience)
            for organisation, machine in machines.items()
        }
        self.failures = 0
        self._told: dict[str, float] = {}

    async def close(self) -> None:
        for machine in self._machines.values():
            await machine.close()

    async def verify(self, batch: list[Request]) -> tuple[list[Request], list[Request]]:
        """The requests whose MAC is right, and those whose MAC is wrong."""
        groups = _by_organisation(batch, [request.terminal.organisation for request in batch])
        if any(request.terminal.keys is not None for request in batch):
            return await self._verify_keyed(groups)
        if len(groups) == 1:
            ((organisation, group),) = groups.items()
            return await self._verify_group(organisation, group)
        parts = await asyncio.gather(
            *(self._verify_group(organisation, group) for organisation, group in groups.items())
        )
        return [one for good, _ in parts for one in good], [one for _, bad in parts for one in bad]

    async def _verify_keyed(self, groups: dict[str, list[Request]]) -> tuple[list[Request], list[Request]]:
        """As `verify`, for batches in which some terminal was given a key over the line: its keys are tried in turn."""
        good: list[Request] = []
        bad: list[Request] = []
        for organisation, group in groups.items():
            plain = [one for one in group if one.terminal.keys is None]
            waiting = [(one, keys_of(one)) for one in group if one.terminal.keys is not None]
            if plain:
                right, wrong = await self._verify_group(organisation, plain)
                good += right
                bad += wrong
            while waiting:
                tried = [(one, keys[0]) for one, keys in waiting if keys]
                try:
                    right_ones = await self._try_keys(organisation, tried)
                except (Refused, TimeoutError, KeyError) as error:
                    self._give_up(organisation, [one for one, _ in waiting], error)
                    break
                good += right_ones
                done = {id(one) for one in right_ones}
                for one, keys in waiting:
                    if id(one) not in done and len(keys) < 2:
                        one.key = keys_of(one)[0]  # it may know the answer by that one
                        bad.append(one)
                waiting = [(one, keys[1:]) for one, keys in waiting if id(one) not in done and len(keys) > 1]
        return good, bad

    async def _try_keys(self, organisation: str, tried: list[tuple[Request, Key]]) -> list[Request]:
        """Those whose MAC is right under the key beside them, which then stands in `key`. One call for each root."""
        machine = self._machines[organisation]
        whole = [(one, key) for one, key in tried if one.mac[MAC_BYTES:] == PADDING]
        groups: dict[str, list[tuple[Request, Key]]] = defaultdict(list)
        for one, key in whole:
            groups["" if key.factor is None else key.reference].append((one, key))
        right: list[Request] = []
        for root, items in groups.items():
            macs = [one.mac[:MAC_BYTES] for one, _ in items]
            messages = [one.signed for one, _ in items]
            if root:
                factors = [key.factor or b"" for _, key in items]
                found = await machine.verify_diversified_macs(root, factors, messages, macs)
            else:
                references = [key.reference for _, key in items]
                found = await machine.verify_macs(list(zip(references, messages, macs, strict=True)))
            for (one, key), same in zip(items, found, strict=True):
                if same:
                    one.key = key
                    right.append(one)
        return right

    async def send(self, answers: list[Signed]) -> None:
        """Sign encoded answers (their last 8 bytes are empty) and send them."""
        groups = _by_organisation(answers, [request.terminal.organisation for request, _ in answers])
        await asyncio.gather(*(self._send_group(organisation, group) for organisation, group in groups.items()))

    async def _verify_group(self, organisation: str, group: list[Request]) -> tuple[list[Request], list[Request]]:
        whole = [request for request in group if request.mac[MAC_BYTES:] == PADDING]
        try:
            found = await self._machines[organisation].verify_macs(
                [(request.terminal.mac_key, request.signed, request.mac[:MAC_BYTES]) for request in whole]
            )
        except (Refused, TimeoutError, KeyError) as error:
            self._give_up(organisation, group, error)
            return [], []
        if len(whole) == len(group) and all(found):
            return group, []
        good = {id(request) for request, right in zip(whole, found, strict=True) if right}
        return [one for one in group if id(one) in good], [one for one in group if id(one) not in good]

    async def _send_group(self, organisation: str, group: list[Signed]) -> None:
        keyed = [pair for pair in group if pair[0].key is not None and pair[0].key.factor is not None]
        if keyed:
            await self._send_keyed(organisation, keyed)
            group = [pair for pair in group if pair[0].key is None or pair[0].key.factor is None]
        if not group:
            return
        unsigned = [(request.terminal.mac_key, encoded[:-FIELD_BYTES]) for request, encoded in group]
        try:
            found = await self._machines[organisation].macs_of(unsigned)
        except (Refused, TimeoutError, KeyError) as error:
            self._give_up(organisation, [request for request, _ in group], error)
            return
        for (request, _), (_, message), mac in zip(group, unsigned, found, strict=True):
            _out(request, message, mac)

    async def _send_keyed(self, organisation: str, group: list[Signed]) -> None:
        """Answers under the working keys of their requests: one call for each root."""
        roots: dict[str, list[Signed]] = defaultdict(list)
        for request, encoded in group:
            if request.key is not None:
                roots[request.key.reference].append((request, encoded))
        for root, items in roots.items():
            factors = [request.key.factor or b"" for request, _ in items if request.key is not None]
            messages = [encoded[:-FIELD_BYTES] for _, encoded in items]
            try:
                found = await self._machines[organisation].macs(root, factors, messages)
            except (Refused, TimeoutError, KeyError) as error:
                self._give_up(organisation, [request for request, _ in items], error)
                continue
            for (request, _), message, mac in zip(items, messages, found, strict=True):
                _out(request, message, mac)

    def has(self, organisation: str) -> bool:
        """Whether that organisation's machine is one of this node."""
        return organisation in self._machines

    def machine(self, organisation: str) -> AsyncEncryptionMachine:
        """The machine of an organisation. Raises KeyError."""
        return self._machines[organisation]

    def _give_up(self, organisation: str, group: list[Request], error: Exception) -> None:
        now = time.monotonic()
        if now - self._told.get(organisation, -BEAT) >= BEAT:  # who floods us shall not flood the log
            self._told[organisation] = now
            log.error("the machine of %s does not answer: %s", organisation, error)
        self.failures += len(group)
        for request in group:
            request.line.drop()


def keys_of(request: Request) -> list[Key]:
    """The keys under which this request's MAC may be."""
    keys = request.terminal.keys
    return [] if keys is None else keys.proving(request.type[:2] == "08") or [keys.first]


def _out(request: Request, message: bytes, mac: bytes) -> None:
    size = len(message) + FIELD_BYTES
    request.answer = b"".join((message, mac, PADDING))
    request.line.send(size.to_bytes(HEADER_BYTES) + request.answer)


def _by_organisation(items: list[T], organisations: list[str]) -> dict[str, list[T]]:
    """Each organisation has its own machine."""
    if organisations.count(organisations[0]) == len(organisations):
        return {organisations[0]: items}
    groups: dict[str, list[T]] = defaultdict(list)
    for item, organisation in zip(items, organisations, strict=True):
        groups[organisation].append(item)
    return groups
