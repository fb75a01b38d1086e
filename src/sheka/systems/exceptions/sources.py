"""From a row of another system to an abnormal item: the kinds that the switch tells of, holds that expired (S10)."""

from __future__ import annotations

from typing import Any

from sheka.systems.exceptions.actions.open_cases import Abnormal
from sheka.systems.exceptions.models import Reason
from sheka.systems.transactions.queries_of_abnormal import AbnormalRow

SWITCH, HOLDS = "switch", "holds"
KINDS: dict[str, Reason] = {reason.value: reason for reason in Reason}
"""The switch's kinds and the reasons of cases; a kind that is not known here is a case too."""
_AMOUNTS = ("amount", "theirs", "got", "asked")


def of_row(row: AbnormalRow) -> Abnormal:
    """An abnormal row of the switch as an item. Rows of a terminal without a STAN are one item a day."""
    day = f"{row.business_date:%Y%m%d}" if row.business_date else ""
    stan = "" if row.stan is None else f"{row.stan:06d}"
    reason = KINDS.get(row.kind, Reason.OTHER)
    facts = {"kind": row.kind, **row.facts}
    return Abnormal(
        subject=f"{row.institution}:{row.terminal}:{day}:{stan}:{row.kind}"[:80],
        reason=reason,
        amount=_amount(row.facts),
        ours=None,
        theirs=row.facts or None,
        facts=facts,
        found=(SWITCH, row.number, row.at),
    )


def _amount(facts: dict[str, Any]) -> int:
    """The amount at stake in fen; 0 where the row names none."""
    for name in _AMOUNTS:
        value = facts.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return abs(value)
    return 0
