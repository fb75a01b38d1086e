"""The keys of the lines in memory (S4): which MAC and PIN keys a terminal may use now, and whose a certificate is.

A working key is a child of its organisation's root by a factor. The newest is in force; the one before, and the
institution's first key when it was the one before, serve for `overlap` seconds more, so that an answer that got lost
stops nobody. The first key proves network management (0800) for ever: with it a terminal asks for a new one.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from sheka.foundation.crypto.algorithms import Algorithm

ALGORITHMS = {"sm4": Algorithm.SM4, "3des": Algorithm.TDES}
_INSTITUTIONS = """
SELECT i.id, i.organisation_id, l.profile, l.keys_for, l.transport_key FROM transactions_institution i
JOIN transactions_institution l ON l.id = coalesce(i.test_of_id, i.id)
"""
"""The test side of an institution has its transport key and algorithm: what is tested is what will work."""
_KEYS = """
SELECT o.terminal_id, o.institution_id, k.purpose, k.factor, extract(epoch FROM k.since)::float8
FROM (SELECT DISTINCT institution_id, terminal_id, purpose FROM transactions_workingkey) o
CROSS JOIN LATERAL (
    SELECT id, purpose, factor, since FROM transactions_workingkey w
    WHERE w.institution_id = o.institution_id AND w.terminal_id IS NOT DISTINCT FROM o.terminal_id
        AND w.purpose = o.purpose
    ORDER BY id DESC LIMIT 2
) k ORDER BY k.id DESC
"""
_ROOTS = "SELECT organisation_id, purpose, algorithm, reference FROM transactions_lineroot"
_CERTIFICATES = """
SELECT fingerprint, institution_id, extract(epoch FROM valid_to)::float8
FROM transactions_certificate WHERE ended_at IS NULL
"""


class Key(NamedTuple):
    """A key in the machine: one that stands there (factor None), or its child by a factor of 8 bytes."""

    reference: str
    factor: bytes | None = None


class GivenOut(NamedTuple):
    """A working key and the moment (epoch seconds) from which it is in force."""

    key: Key
    since: float


@dataclass(frozen=True, slots=True)
class InstitutionLine:
    """How an institution's messages are protected. `mac_root`, `pin_root`: roots of its algorithm, empty: none yet."""

    id: int
    organisation: str
    algorithm: Algorithm
    for_terminals: bool
    transport_key: str
    mac_root: str
    pin_root: str


class TerminalKeys:
    """The keys of one terminal: `mac` and `pin` newest first, two at most."""

    __slots__ = ("first", "mac", "overlap", "pin")

    def __init__(self, first: Key, mac: list[GivenOut], pin: list[GivenOut], overlap: float) -> None:
        self.first, self.mac, self.pin, self.overlap = first, mac, pin, overlap

    def proving(self, network: bool) -> list[Key]:
        """The keys under which a MAC may be, the likeliest first."""
        found = self._in_force(self.mac)
        if network or (len(self.mac) == 1 and time.time() < self.mac[0].since + self.overlap):
            found.append(self.first)
        return found

    def opening(self) -> list[Key]:
        """The keys under which a PIN block may be."""
        return self._in_force(self.pin)

    def _in_force(self, keys: list[GivenOut]) -> list[Key]:
        found = [one.key for one in keys[:1]]
        if len(keys) > 1 and time.time() < keys[0].since + self.overlap:
            found.append(keys[1].key)
        return found


@dataclass(frozen=True, slots=True)
class LineKeys:
    """Everything at one moment. `institutions` by id; `certificates`: fingerprint → (institution, epoch of its end)."""

    institutions: Mapping[int, InstitutionLine]
    given: Mapping[tuple[int | None, int, str], list[GivenOut]]
    certificates: Mapping[str, tuple[int, float]]
    overlap: float

    @classmethod
    async def load(cls, connection: asyncpg.Connection, overlap: float) -> LineKeys:
        """Read it; four small statements."""
        roots = {(row[0], row[1], row[2]): row[3] for row in await connection.fetch(_ROOTS)}
        institutions = {row[0]: _line(row, roots) for row in await connection.fetch(_INSTITUTIONS)}
        given: dict[tuple[int | None, int, str], list[GivenOut]] = defaultdict(list)
        for terminal, holder, purpose, factor, since in await connection.fetch(_KEYS):
            line = institutions[holder]
            root = line.mac_root if purpose == "mac" else line.pin_root
            given[terminal, holder, purpose].append(GivenOut(Key(root, bytes.fromhex(factor)), since))
        certificates = {row[0]: (row[1], row[2]) for row in await connection.fetch(_CERTIFICATES)}
        return cls(institutions, given, certificates, overlap)

    def of(self, terminal: int, institution: int, first: str) -> TerminalKeys | None:
        """A terminal's keys; None for one that was never given any: its institution's first key serves it."""
        mac, pin = self._newest(terminal, institution, "mac"), self._newest(terminal, institution, "pin")
        return TerminalKeys(Key(first), mac, pin, self.overlap) if mac or pin else None

    def _newest(self, terminal: int, institution: int, purpose: str) -> list[GivenOut]:
        both: Iterable[GivenOut] = (
            *self.given.get((terminal, institution, purpose), ()),
            *self.given.get((None, institution, purpose), ()),
        )
        return sorted(both, key=lambda one: -one.since)[:2]


def _line(row: asyncpg.Record, roots: Mapping[tuple[str, str, int], str]) -> InstitutionLine:
    number, organisation, profile, keys_for, transport_key = row
    algorithm = ALGORITHMS[profile]
    mac, pin = (roots.get((organisation, purpose, int(algorithm)), "") for purpose in ("mac", "pin"))
    return InstitutionLine(number, organisation, algorithm, keys_for == "terminal", transport_key, mac, pin)
