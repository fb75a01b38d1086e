"""What the switch refuses before it asks an account: the block list, PSAMs, machines, as looked up in memory (S4, K8).

One snapshot is read whole and replaced whole; nothing here waits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sheka.foundation.refusals import Code

if TYPE_CHECKING:
    from sheka.systems.transactions.switch.requests import Request

CARD_BODY = 8
"""A card number without its check character: what ranges are compared by, in the order of ASCII."""


@dataclass(frozen=True, slots=True)
class Barred:
    """`bound`: terminal id → PSAM there and whether it is in service. `starts` and `ends` are disjoint ranges of card
    bodies in order. `machines`: organisations whose machine may do no production work (K4); `suspended`: references of
    keys that an incident stopped. `test_cards`: good at test terminals, and at no other.
    """

    terminals: frozenset[str]
    psams: frozenset[str]
    cards: frozenset[str]
    key_versions: frozenset[str]
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    bound: dict[int, tuple[str, bool]]
    required: frozenset[str]
    machines: frozenset[str] = frozenset()
    suspended: frozenset[str] = frozenset()
    test_cards: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        blocks: Iterable[tuple[str, str]],
        bound: dict[int, tuple[str, bool]],
        required: frozenset[str],
    ) -> Barred:
        """From the rows (kind, subject) of the block list."""
        subjects: dict[str, set[str]] = defaultdict(set)
        for kind, subject in blocks:
            subjects[kind].add(subject)
        starts, ends = _disjoint(subjects["card_range"])
        return cls(
            frozenset(subjects["terminal"]),
            frozenset(subjects["psam"]),
            frozenset(subjects["card"]),
            frozenset(subjects["key_version"]),
            starts,
            ends,
            bound,
            required,
        )

    def refusal(self, request: Request) -> int:
        """The refusal number, 0 when nothing bars the request."""
        terminal = request.terminal
        if terminal.organisation in self.machines:
            return Code.MACHINE_OUT_OF_PRODUCTION.value
        if terminal.mac_key in self.suspended:
            return Code.KEY_VERSION_ON_BLOCK_LIST.value
        if terminal.number in self.terminals:
            return Code.TERMINAL_ON_BLOCK_LIST.value
        return self._psam(request) or self._card(request)

    def _psam(self, request: Request) -> int:
        terminal, named = request.terminal, request.psam
        if named in self.psams:
            return Code.PSAM_ON_BLOCK_LIST.value
        held = self.bound.get(terminal.id)
        if held is not None and held[0] in self.psams:
            return Code.PSAM_ON_BLOCK_LIST.value
        if named and (held is None or held[0] != named):
            return Code.PSAM_OF_ANOTHER_TERMINAL.value
        if not named and terminal.institution[0] in self.required:
            return Code.PSAM_MISSING.value
        if held is not None and not held[1]:
            return Code.PSAM_NOT_IN_SERVICE.value
        return 0

    def _card(self, request: Request) -> int:
        card = request.card
        if request.terminal.testing is not (card in self.test_cards):
            wrong = Code.TEST_TERMINAL_OTHER_CARD if request.terminal.testing else Code.TEST_CARD_ELSEWHERE
            return wrong.value
        if request.key_version in self.key_versions:
            return Code.KEY_VERSION_ON_BLOCK_LIST.value
        if card in self.cards:
            return Code.CARD_ON_BLOCK_LIST.value
        if self.starts:
            at = bisect_right(self.starts, card[:CARD_BODY])
            if at and card[:CARD_BODY] <= self.ends[at - 1]:
                return Code.CARD_RANGE_ON_BLOCK_LIST.value
        return 0


def _disjoint(ranges: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """First and last bodies of "first-last" ranges, in order, those that touch or overlap as one."""
    starts: list[str] = []
    ends: list[str] = []
    for first, last in sorted((one[:CARD_BODY], one.partition("-")[2][:CARD_BODY]) for one in ranges):
        if ends and first <= ends[-1]:
            ends[-1] = max(ends[-1], last)
        else:
            starts.append(first)
            ends.append(last)
    return tuple(starts), tuple(ends)
