"""What an exchange costs, with its working: R5, by the policy in force on the day of the application."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum, unique
from typing import Any

from sheka.foundation.calendar import is_working_day
from sheka.foundation.money import Fen
from sheka.systems.cards.policy import EXCHANGE, in_force


@unique
class Ground(StrEnum):
    """Why a card is exchanged."""

    DAMAGED = "damaged"  # R7
    DATA_CHANGED = "data_changed"  # R8


@unique
class Cause(StrEnum):
    """Where a damage comes from, as the outlet finds it (R5)."""

    QUALITY_DEFECT = "quality_defect"
    PEOPLE = "people"
    WEAR = "wear"


@dataclass(frozen=True, slots=True)
class FeeDecision:
    """The fee in fen, the rule that gave it, and everything it was worked out from (plain JSON, shown to the holder).

    `rule` is one of: free_within_term, paid_after_term, paid_not_quality, paid_data_changed, paid_no_receipt_date.
    """

    fen: Fen
    rule: str
    working: dict[str, Any]

    @property
    def free(self) -> bool:
        return self.fen == 0


def last_free_day(received_on: date, *, years: int, extends_over_holidays: bool) -> date:
    """The last day of the free term: Civil Code articles 201 (the first day does not count), 202 (the same day of the
    last year, or the last day of its month), 203 (a day of rest moves it to the first working day).

    >>> last_free_day(date(2025, 3, 3), years=1, extends_over_holidays=True).isoformat()
    '2026-03-03'
    """
    try:
        day = received_on.replace(year=received_on.year + years)
    except ValueError:  # 29 February
        day = date(received_on.year + years, 2, 28)
    while extends_over_holidays and not is_working_day(day).working:
        day += timedelta(days=1)
    return day


def decide_fee(*, ground: Ground, cause: Cause | None, received_on: date | None, applied_on: date) -> FeeDecision:
    """Free when a quality defect not caused by people shows within the free term of receipt; else the fee (R5).

    A card whose day of receipt is not known is not free: the term cannot be shown to run.
    Raises Refused(POLICY_NO_ROW) when there is no fee in force: nothing is charged by guess.
    """
    term = in_force(EXCHANGE, "free_term", applied_on)
    fee = in_force(EXCHANGE, "fee", applied_on)
    last = None
    if received_on is not None:
        last = last_free_day(
            received_on, years=term["years"], extends_over_holidays=term.get("extends_over_holidays", False)
        )
    rule = _rule(ground, cause, last, applied_on)
    fen = 0 if rule == "free_within_term" else int(fee["fen"])
    working: dict[str, Any] = {
        "rule": rule,
        "ground": ground.value,
        "cause": cause.value if cause else None,
        "received_on": received_on.isoformat() if received_on else None,
        "applied_on": applied_on.isoformat(),
        "free_years": int(term["years"]),
        "last_free_day": last.isoformat() if last else None,
        "policy_fen": int(fee["fen"]),
        "fen": fen,
        "fee_source": fee["source"],
        "term_source": term["source"],
    }
    return FeeDecision(fen, rule, working)


def _rule(ground: Ground, cause: Cause | None, last: date | None, applied_on: date) -> str:
    if ground is not Ground.DAMAGED:
        return "paid_data_changed"
    if cause is not Cause.QUALITY_DEFECT:
        return "paid_not_quality"
    if last is None:
        return "paid_no_receipt_date"
    return "free_within_term" if applied_on <= last else "paid_after_term"
