"""The encryption machine's part: MACs of requests are checked, answers get theirs, in batches (C1, design §2.8)."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

from sheka.equipment.encryption_machine.aclient import AsyncEncryptionMachine
from sheka.foundation.iso8583.framing import HEADER_BYTES
from sheka.foundation.refusals import Refused
from sheka.systems.transactions.switch.batches import Batcher
from sheka.systems.transactions.switch.registry import RegisteredTerminal
from sheka.systems.transactions.switch.requests import Request
from sheka.systems.transactions.switch.settings import CALLER, MachineAddress

log = logging.getLogger("sheka.switch")
MAC_BYTES = 4
PADDING = bytes(4)
T = TypeVar("T")


class Macs:
    """Field 64 or 128: the 4-byte command MAC (SM4 CBC-MAC, padding 2) over everything before it, then four zero bytes.

    `checked(request, good)` and `signed(request, frame)` are called for each item; `failed(request)` when the
    machine does not answer: then nothing is booked and nothing is said.
    """

    def __init__(
        self,
        machines: dict[str, MachineAddress],
        *,
        checked: Callable[[list[Request], list[Request]], None],
        failed: Callable[[Request], None],
        most: int,
    ) -> None:
        self._machines = {
            organisation: AsyncEncryptionMachine(machine.address, CALLER, machine.secret, timeout=10.0)
            for organisation, machine in machines.items()
        }
        self._checked = checked
        self._failed = failed
        self._verifying: Batcher[Request] = Batcher(self._verify, most)
        self._signing: Batcher[tuple[Request, bytes]] = Batcher(self._sign, most)

    def check(self, request: Request) -> None:
        """Queue a request for the check of its MAC."""
        self._verifying.put(request)

    def sign(self, items: list[tuple[Request, bytes]]) -> None:
        """Queue answers (encoded, with an empty MAC at the end)."""
        self._signing.put_all(items)

    @property
    def idle(self) -> bool:
        return self._verifying.idle and self._signing.idle

    async def close(self) -> None:
        for machine in self._machines.values():
            await machine.close()

    async def _verify(self, batch: list[Request]) -> None:
        groups = _by_key(batch, lambda request: request.terminal)
        await asyncio.gather(*(self._verify_group(*key, group) for key, group in groups))

    async def _verify_group(self, organisation: str, key: str, group: list[Request]) -> None:
        whole = [
            request for request in group if len(request.mac) == MAC_BYTES + 4 and request.mac[MAC_BYTES:] == PADDING
        ]
        try:
            found = await self._machines[organisation].verify_macs(
                [(key, request.signed, request.mac[:MAC_BYTES]) for request in whole]
            )
        except (Refused, TimeoutError, KeyError) as error:
            log.error("the machine of %s did not verify: %s", organisation, error)
            for request in group:
                self._failed(request)
            return
        if all(found) and len(whole) == len(group):
            self._checked(group, [])
        else:
            good = {id(request) for request, right in zip(whole, found, strict=True) if right}
            self._checked(
                [request for request in group if id(request) in good],
                [request for request in group if id(request) not in good],
            )

    async def _sign(self, batch: list[tuple[Request, bytes]]) -> None:
        groups = _by_key(batch, lambda item: item[0].terminal)
        await asyncio.gather(*(self._sign_group(*key, group) for key, group in groups))

    async def _sign_group(self, organisation: str, key: str, group: list[tuple[Request, bytes]]) -> None:
        messages = [encoded[:-8] for _, encoded in group]
        try:
            found = await self._machines[organisation].macs(key, None, messages)
        except (Refused, TimeoutError, KeyError) as error:
            log.error("the machine of %s did not sign: %s", organisation, error)
            for request, _ in group:
                self._failed(request)
            return
        for (request, _), message, mac in zip(group, messages, found, strict=True):
            size = len(message) + 8
            request.line.send(size.to_bytes(HEADER_BYTES) + message + mac + PADDING)


def _by_key(
    items: Iterable[T], terminal_of: Callable[[T], RegisteredTerminal]
) -> Iterable[tuple[tuple[str, str], list[T]]]:
    groups: dict[tuple[str, str], list[T]] = defaultdict(list)
    for item in items:
        terminal = terminal_of(item)
        groups[terminal.organisation, terminal.mac_key].append(item)
    return groups.items()
