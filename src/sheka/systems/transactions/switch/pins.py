"""PIN blocks judged in encryption machines (S4, ADR 33): in the one machine of terminal and card, or in the machine of
the card's city, to which the terminal's machine hands the block under the key that the two share. Nothing here sees a
PIN.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sheka.equipment.encryption_machine.model import PinFinding
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.pin_block import account_digits
from sheka.systems.transactions.switch.line_keys import Key
from sheka.systems.transactions.switch.machine import Macs
from sheka.systems.transactions.switch.requests import Request
from sheka.systems.transactions.switch.side_door import SideDoor

PIN_FIELDS = {Algorithm.TDES: 52, Algorithm.SM4: 59}
FACTOR_BYTES = 8
_ZONE = "SELECT * FROM switch_pin_zone($1, $2)"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a card's PIN: value and its root, in the machine of `organisation`."""

    organisation: str
    root: str
    value: bytes


@dataclass(frozen=True, slots=True)
class PinTry:
    """A request with a PIN block, and the key under which it may be."""

    request: Request
    kept: Kept
    key: Key

    @property
    def block(self) -> bytes:
        line = self.request.terminal.line
        found = self.request.fields[PIN_FIELDS[line.algorithm]] if line else b""
        return found if isinstance(found, bytes) else b""


class PinJudge:
    """Asks the machines."""

    def __init__(self, macs: Macs, door: SideDoor) -> None:
        self._macs, self._door = macs, door

    async def judge(self, place: str, city: str, root: str, value_root: str, items: list[PinTry]) -> list[PinFinding]:
        """A finding for each block that came at a terminal of `place` for a card of `city`. No block, so that nothing
        is held against the card, where the two machines have no key between them, or the city's is not of this node.

        Raises Refused, KeyError, TimeoutError, and what the side door raises: not judged.
        """
        if place == city:
            return await self._verify(
                city, root, [_factor(one.key) for one in items], _blocks(items), value_root, items
            )
        zone = await self._door.row(_ZONE, place, city) if self._macs.has(city) else None
        if zone is None or zone["issuer_reference"] is None:
            return [PinFinding.NO_BLOCK] * len(items)
        factors = [secrets.token_bytes(FACTOR_BYTES) for _ in items]
        blocks = await self._macs.machine(place).translate_pins(
            root,
            [_factor(one.key) for one in items],
            _blocks(items),
            [account_digits(one.request.card) for one in items],
            zone["acquirer_reference"],
            factors,
        )
        sent = [at for at, block in enumerate(blocks) if block]
        there = await self._verify(
            city,
            zone["issuer_reference"],
            [factors[at] for at in sent],
            [blocks[at] for at in sent],
            value_root,
            [items[at] for at in sent],
        )
        found = [PinFinding.NO_BLOCK] * len(items)
        for at, finding in zip(sent, there, strict=True):
            found[at] = finding
        return found

    async def _verify(
        self,
        organisation: str,
        root: str,
        factors: list[bytes],
        blocks: list[bytes],
        value_root: str,
        items: list[PinTry],
    ) -> list[PinFinding]:
        if not items:
            return []
        return await self._macs.machine(organisation).verify_pins(
            root,
            factors,
            blocks,
            [account_digits(one.request.card) for one in items],
            value_root,
            [one.request.card[:8].encode() for one in items],
            [one.kept.value for one in items],
        )


def _factor(key: Key) -> bytes:
    return key.factor or b""


def _blocks(items: list[PinTry]) -> list[bytes]:
    return [one.block for one in items]
