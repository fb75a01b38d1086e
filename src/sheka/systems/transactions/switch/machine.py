"""The encryption machine's part: MACs of requests are checked, answers get theirs, in batches (C1, design §2.8)."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import TypeVar

from sheka.equipment.encryption_machine.aclient import AsyncEncryptionMachine
from sheka.foundation.iso8583.framing import HEADER_BYTES
from sheka.foundation.refusals import Refused
from sheka.systems.transactions.switch.requests import Request
from sheka.systems.transactions.switch.settings import CALLER, MachineAddress

log = logging.getLogger("sheka.switch")
MAC_BYTES = 4
PADDING = bytes(4)
FIELD_BYTES = 8
T = TypeVar("T")
Signed = tuple[Request, bytes]


class Macs:
    """Field 64 or 128: the 4-byte command MAC (SM4 CBC-MAC, padding 2) over everything before it, then four zero bytes.

    A machine that does not answer fails closed: nothing is booked, nothing is said, the lines end.
    """

    def __init__(self, machines: dict[str, MachineAddress]) -> None:
        self._machines = {
            organisation: AsyncEncryptionMachine(machine.address, CALLER, machine.secret, timeout=10.0)
            for organisation, machine in machines.items()
        }
        self.failures = 0

    async def close(self) -> None:
        for machine in self._machines.values():
            await machine.close()

    async def verify(self, batch: list[Request]) -> tuple[list[Request], list[Request]]:
        """The requests whose MAC is right, and those whose MAC is wrong."""
        groups = _by_organisation(batch, [request.terminal.organisation for request in batch])
        if len(groups) == 1:
            ((organisation, group),) = groups.items()
            return await self._verify_group(organisation, group)
        parts = await asyncio.gather(
            *(self._verify_group(organisation, group) for organisation, group in groups.items())
        )
        return [one for good, _ in parts for one in good], [one for _, bad in parts for one in bad]

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
        unsigned = [(request.terminal.mac_key, encoded[:-FIELD_BYTES]) for request, encoded in group]
        try:
            found = await self._machines[organisation].macs_of(unsigned)
        except (Refused, TimeoutError, KeyError) as error:
            self._give_up(organisation, [request for request, _ in group], error)
            return
        for (request, _), (_, message), mac in zip(group, unsigned, found, strict=True):
            size = len(message) + FIELD_BYTES
            request.answer = b"".join((message, mac, PADDING))
            request.line.send(size.to_bytes(HEADER_BYTES) + request.answer)

    def _give_up(self, organisation: str, group: list[Request], error: Exception) -> None:
        log.error("the machine of %s does not answer: %s", organisation, error)
        self.failures += len(group)
        for request in group:
            request.line.drop()


def _by_organisation(items: list[T], organisations: list[str]) -> dict[str, list[T]]:
    """Each organisation has its own machine."""
    if organisations.count(organisations[0]) == len(organisations):
        return {organisations[0]: items}
    groups: dict[str, list[T]] = defaultdict(list)
    for item, organisation in zip(items, organisations, strict=True):
        groups[organisation].append(item)
    return groups
