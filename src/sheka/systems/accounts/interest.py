"""The reckoning of interest (S6): day-end balances times the rate of each day, as a set, exact until the last step.

The day-end balances of a stretch need no table of days: an entry counts on its own day and on each that follows, so a
balance summed over days is the sum of the entries, each times the days that it was there. Rates become whole numbers
over one denominator; an account is rounded once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from math import lcm
from zoneinfo import ZoneInfo

from django.db import connection

from sheka.foundation.money import Rounding
from sheka.foundation.refusals import Code, Refused
from sheka.systems.accounts.models import InterestRun
from sheka.systems.accounts.policy import INTEREST, Rate, rates

ZONE = ZoneInfo("Asia/Shanghai")
ROUNDED = {
    Rounding.HALF_UP: "div(2 * t + d, 2 * d)",
    Rounding.DOWN: "div(t, d)",
    Rounding.UP: "div(t + d - 1, d)",
    Rounding.HALF_EVEN: "div(2 * t + d, 2 * d) - CASE WHEN mod(2 * t + d, 2 * d) = 0"
    " AND mod(div(2 * t + d, 2 * d), 2) = 1 THEN 1 ELSE 0 END",
}
"""t / d as whole fen, t not below zero: each rule in integers."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What a fen that is there from a day to the end of the stretch bears: `top[n]` / `bottom` from its n-th day on."""

    first: date
    last: date
    top: tuple[int, ...]
    bottom: int
    rounding: Rounding

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(len(self.top))]


def weights(found: Sequence[Rate]) -> Weights:
    """Raises Refused(ACCOUNT_POLICY) where the stretches round by different rules."""
    if len({rate.rounding for rate in found}) != 1:
        raise Refused(Code.ACCOUNT_POLICY, file=INTEREST, what="rounding", day=found[0].first.isoformat())
    daily = [Fraction(rate.annual) / rate.day_count for rate in found for _ in range((rate.last - rate.first).days + 1)]
    bottom = lcm(*(one.denominator for one in daily))
    top, total = [], 0
    for one in reversed(daily):
        total += one.numerator * (bottom // one.denominator)
        top.append(total)
    return Weights(found[0].first, found[-1].last, tuple(reversed(top)), bottom, found[0].rounding)


def reckon(run: InterestRun, terms: Sequence[Rate]) -> None:
    """Write the lines of the run: every personal account of its scheme and organisation that is not closed and bears
    at least one fen.
    """
    counted = weights(terms)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_interestline (run_id, account_id, base, amount, booked)"  # noqa: S608 - our own text
            f" SELECT %(run)s, account_id, base, amount, false FROM ({_bases(counted)}) reckoned WHERE amount > 0",
            {
                **_parameters(counted),
                "run": run.pk,
                "scheme": run.scheme,
                "organisation": run.organisation_id,
                "account": None,
            },
        )


def accrued(account_id: int, scheme: str, organisation: str, first: date, last: date) -> tuple[int, list[Rate]]:
    """The interest of one account from `first` to `last`, and the rates; 0 where the stretch is empty.

    Raises Refused(ACCOUNT_POLICY).
    """
    if last < first:
        return 0, []
    terms = rates(scheme, first, last)
    counted = weights(terms)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT amount FROM ({_bases(counted)}) reckoned",  # noqa: S608 - our own text
            {**_parameters(counted), "scheme": scheme, "organisation": organisation, "account": account_id},
        )
        row = cursor.fetchone()
    return (int(row[0]) if row else 0), terms


def lines_digest(run: InterestRun) -> str:
    """SM3 over "account:amount" of every line in the order of the accounts."""
    found = hashlib.new("sm3")
    rows = run.rows.order_by("account_id").values_list("account_id", "amount")
    for account, amount in rows.iterator(chunk_size=10_000):
        found.update(f"{account}:{amount}\n".encode())
    return found.hexdigest()


def _bases(counted: Weights) -> str:
    return (
        "SELECT account_id, base, "  # noqa: S608 - our own text
        + ROUNDED[counted.rounding]
        + " AS amount FROM ("
        " SELECT e.account_id, sum(e.amount::numeric * (%(last)s::date - day + 1)) AS base,"
        "  sum(e.amount::numeric * w.top) AS t, %(bottom)s::numeric AS d"
        " FROM accounts_entry e"
        " JOIN accounts_account a ON a.id = e.account_id AND a.kind = 'personal' AND a.scheme = %(scheme)s"
        "  AND a.organisation_id = %(organisation)s AND a.state <> 'closed'"
        " CROSS JOIN LATERAL (SELECT greatest((e.booked_at AT TIME ZONE 'Asia/Shanghai')::date, %(first)s) AS day) s"
        " JOIN unnest(%(days)s::date[], %(tops)s::numeric[]) AS w (on_day, top) ON w.on_day = s.day"
        " WHERE e.booked_at < %(end)s AND (%(account)s::bigint IS NULL OR e.account_id = %(account)s)"
        " GROUP BY e.account_id) sums WHERE t >= 0"
    )


def _parameters(counted: Weights) -> dict[str, object]:
    return {
        "first": counted.first,
        "last": counted.last,
        "days": counted.days,
        "tops": list(counted.top),
        "bottom": counted.bottom,
        "end": datetime.combine(counted.last + timedelta(days=1), time(), ZONE),
    }
