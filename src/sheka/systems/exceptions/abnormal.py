"""An abnormal item, as clearing, the switch, a rule or a person tells it; told twice, it is one case (S10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sheka.systems.exceptions.models import Reason

SETTLED = "settlement_date"
"""The key of a side that names the clearing day."""


@dataclass(frozen=True, slots=True)
class Abnormal:
    """An abnormal item: its key, why, the amount at stake in fen, and what each side has (None: nothing).

    `subject` is institution:terminal:business date YYYYMMDD:STAN:kind; parts that there are none of are empty.
    `found`: the row of another system that it comes from: source, number, time.
    """

    subject: str
    reason: Reason
    amount: int
    ours: Mapping[str, object] | None
    theirs: Mapping[str, object] | None
    facts: Mapping[str, object] = field(default_factory=dict)
    found: tuple[str, int, datetime] | None = None

    @property
    def parts(self) -> dict[str, Any]:
        """Institution, terminal, business date and STAN of the subject."""
        institution, terminal, day, stan, *_ = (*self.subject.split(":"), "", "", "", "")
        return {
            "institution": institution[:15],
            "terminal": terminal[:12],
            "business_date": date(int(day[:4]), int(day[4:6]), int(day[6:8])) if day else None,
            "stan": int(stan) if stan else None,
        }

    @property
    def settlement_day(self) -> str:
        """The clearing day that the item names, empty where it names none."""
        return str((self.theirs or {}).get(SETTLED) or (self.ours or {}).get(SETTLED) or "")
