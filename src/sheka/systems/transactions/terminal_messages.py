"""What a terminal asks for (S4): requests as it keeps them before it sends, and the fields of their messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sheka.foundation.iso8583 import Value

TOTALS = (74, 75, 76, 77, 86, 87, 88, 89)
"""Credits, credits reversed, debits, debits reversed: their numbers, then their sums."""
NOBODY = "0" * 22
"""Field 90, acquirer and forwarder: our institutions are named by field 42."""


class Asked(Enum):
    """Type of the message, processing code (field 3), point of service condition (field 25, empty: left out)."""

    PURCHASE = "0200", "000000", ""
    PURCHASE_ADVICE = "0220", "000000", ""
    PRE_AUTHORISATION = "0100", "030000", "06"
    COMPLETION = "0200", "000000", "06"
    COMPLETION_ADVICE = "0220", "000000", "06"
    VOID = "0200", "200000", ""
    VOID_OF_PRE_AUTHORISATION = "0100", "200000", "06"
    REFUND = "0220", "200000", ""

    @property
    def type(self) -> str:
        return self.value[0]


@dataclass(frozen=True, slots=True)
class Purchase:
    """A request as the terminal keeps it before it sends: everything that a repeat or a reversal needs.

    `original`: what it completes, voids or refunds. `terminal`: where it was made. `pin`: the number of the field and
    the PIN block.
    """

    stan: int
    card_number: str
    amount: int
    at: datetime
    currency: str = "156"
    scheme: str = "310"
    chip_data: bytes | None = None
    asked: Asked = Asked.PURCHASE
    original: Purchase | None = None
    terminal: str = ""
    pin: tuple[int, bytes] | None = None

    def named(self, kind: str = "") -> str:
        """Field 90 of a message about this request; `kind`: its type, when another was sent."""
        return f"{kind or self.asked.type}{self.stan:06d}{self.at:%m%d%H%M%S}{NOBODY}"

    def fields(self, terminal: str) -> dict[int, Value]:
        """The fields that say what is asked, without those of the terminal."""
        _, processing, condition = self.asked.value
        found: dict[int, Value] = {
            3: processing,
            4: f"{self.amount:012d}",
            49: self.currency,
            60: self.scheme,
            62: self.card_number,
        }
        if condition:
            found[25] = condition
        if self.original is not None:
            found[90] = self.original.named()
            if self.original.terminal not in ("", terminal):
                found[48] = f"OT={self.original.terminal}"
        if self.chip_data is not None:
            found[55] = self.chip_data
        if self.pin is not None:
            found[self.pin[0]] = self.pin[1]
        return found


@dataclass(frozen=True, slots=True)
class Totals:
    """A batch: numbers and sums in fen of what moved money, seen from the personal accounts (a purchase is a debit)."""

    credits: int = 0
    credits_reversed: int = 0
    debits: int = 0
    debits_reversed: int = 0
    credits_sum: int = 0
    credits_reversed_sum: int = 0
    debits_sum: int = 0
    debits_reversed_sum: int = 0

    def fields(self) -> dict[int, Value]:
        values = (getattr(self, name) for name in self.__slots__)
        return {
            number: f"{value:010d}" if number < 86 else f"{value:016d}"
            for number, value in zip(TOTALS, values, strict=True)
        }

    @classmethod
    def of(cls, fields: dict[int, Value]) -> Totals | None:
        """As an answer has them, None when it has none."""
        if TOTALS[0] not in fields:
            return None
        return cls(*(int(fields[number]) for number in TOTALS))
