"""From a row of another system to an abnormal item: what the switch tells of, requests without an answer, bookings
whose switch died, settlements out of balance, holds that expired (S10).
"""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from sheka.systems.accounts.queries import ExpiredHold
from sheka.systems.exceptions.abnormal import Abnormal
from sheka.systems.exceptions.models import Reason
from sheka.systems.exceptions.standing import row_facts
from sheka.systems.transactions.queries_of_abnormal import AbnormalRow, transaction_booked
from sheka.systems.transactions.queries_of_batches import Unbalanced
from sheka.systems.transactions.queries_of_unanswered import Unanswered, Untold

SWITCH, LINE, HOLDS, PROCESS, BATCH = "switch", "line", "holds", "process", "batch"
KINDS: dict[str, Reason] = {
    "late_original": Reason.REVERSAL_FIRST,
    "duplicate_differs": Reason.OTHER_AMOUNT,
    "reversal_amount": Reason.PARTIAL_REVERSAL,
    "late_reversal": Reason.LATE_REVERSAL,
    "reversal_of_followed": Reason.DOUBLE_REVERSAL,
    "reversal_uncovered": Reason.ADVICE_REFUSED,
    "advice_refused": Reason.ADVICE_REFUSED,
    "batch_only_ours": Reason.ONLY_OURS,
    "batch_only_theirs": Reason.ONLY_THEIRS,
    "batch_differs": Reason.AMOUNT,
    "wrong_mac": Reason.WRONG_MAC,
    "clock_skew": Reason.CLOCK_SKEW,
    "replay": Reason.REPLAY,
}
"""The switch's kinds (docs/systems/transactions.md) and the reasons of cases; one that is not here is a case too."""
_OF_REVERSALS = frozenset({"late_reversal", "reversal_amount", "reversal_of_followed", "reversal_uncovered"})
OUTCOME_UNKNOWN = 4430
TOTALS = (
    *("credits_count", "credits_back_count", "debits_count", "debits_back_count"),
    *("credits", "credits_back", "debits", "debits_back"),
)
"""Fields 74 to 77 and 86 to 89 of a settlement: numbers, then sums in fen."""


def of_row(row: AbnormalRow) -> Abnormal:
    """An abnormal row of the switch. Rows of a terminal without a STAN are one item while their case runs."""
    reason = KINDS.get(row.kind) or (Reason.WRONG_MAC if row.kind.startswith("wrong_") else Reason.OTHER)
    if reason is Reason.LATE_REVERSAL and _is_settled(row):
        reason = Reason.SETTLED_REVERSAL
    facts = {"told": row.kind, **row.facts}
    theirs = None if row.kind == "batch_only_ours" else row.facts or None
    return Abnormal(
        subject=f"{_key(row)}:{_part(row)}"[:80],
        reason=reason,
        amount=_amount(row),
        ours=None,
        theirs=theirs,
        facts=facts,
        found=(SWITCH, row.number, row.at),
    )


def of_line(row: Unanswered) -> Abnormal:
    """A request whose requester has no answer in time. `hop` says where the time went by: the database did not say in
    time whether it has it (4430), or nothing went out at all, because the machine did not sign.
    """
    return _of_message(row, Reason.TIME_OUT, "database" if row.refusal == OUTCOME_UNKNOWN else "machine")


def of_repeat(row: Unanswered) -> Abnormal:
    """A repeat of what had been answered: the answer was lost between the switch and the terminal."""
    return _of_message(row, Reason.ANSWER_LOST, "line")


def of_untold(row: Untold, process: str) -> Abnormal:
    """A booking whose switch died before it could answer."""
    booked = timezone.localtime(row.at).isoformat()
    facts = {"transaction": row.number, "hop": "switch", "process": process, "booked_at": booked}
    subject = f"{_key(row)}:{row.kind}"
    return Abnormal(subject, Reason.UNKNOWN, row.amount, None, None, facts, (PROCESS, row.number, row.at))


def of_batch(row: Unbalanced) -> Abnormal:
    """A settlement out of balance that nothing followed. At stake is what the two nets differ by; where only numbers
    differ or sums cancel out, the greatest difference of a sum.
    """
    ours, theirs = dict(zip(TOTALS, row.ours, strict=True)), dict(zip(TOTALS, row.theirs, strict=True))
    apart = [ours[name] - theirs[name] for name in TOTALS[4:]]
    amount = abs(apart[2] - apart[3] - apart[0] + apart[1]) or max(map(abs, apart))
    day = {"settlement_date": row.settlement_date.isoformat()}
    facts = {"batch": row.number, "out_of_balance": [name for name in TOTALS if ours[name] != theirs[name]], **day}
    found = (BATCH, row.number, row.at)
    return Abnormal(f"{_key(row)}:batch", Reason.UNBALANCED, amount, ours | day, theirs | day, facts, found)


def _of_message(row: Unanswered, reason: Reason, hop: str) -> Abnormal:
    part = 2 if row.type[1] == "4" else 1
    facts = {
        "message": row.number,
        "type": row.type,
        "hop": hop,
        "process": row.process,
        "came_at": timezone.localtime(row.at).isoformat(),
    }
    return Abnormal(f"{_key(row)}:{part}", reason, 0, None, None, facts, (LINE, row.number, row.at))


def of_hold(hold: ExpiredHold) -> tuple[str, Abnormal]:
    """A pre-authorisation that nobody completed, and the organisation whose books it stands in."""
    row = transaction_booked(hold.pending_id, timezone.localdate(hold.made_at))
    facts = {"pending": hold.pending_id, "reference": hold.reference, "released_at": hold.released_at.isoformat()}
    found = (HOLDS, hold.pending_id, hold.released_at)
    if row is None:
        subject = f"::{hold.made_at:%Y%m%d}::{hold.pending_id}"
        return hold.organisation, Abnormal(subject, Reason.HOLD_EXPIRED, hold.amount, None, None, facts, found)
    subject = f"{row.institution.code}:{row.terminal.number}:{row.business_date:%Y%m%d}:{row.stan:06d}:{row.kind}"
    item = Abnormal(subject, Reason.HOLD_EXPIRED, hold.amount, row_facts(row), None, facts, found)
    return row.institution.organisation_id, item


def _is_settled(row: AbnormalRow) -> bool:
    """Whether the clearing day of the original is netted: then the institution was credited for it already. Clearing
    lies above this system, so its table is asked and not its code.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM transactions_transaction t"
            " JOIN transactions_institution i ON i.id = t.institution_id"
            " JOIN transactions_terminal m ON m.id = t.terminal_id"
            " JOIN clearing_day d ON d.window_id = t.window_id AND d.organisation_id = i.organisation_id"
            " WHERE t.business_date = %s AND m.number = %s AND t.stan = %s AND i.code = %s AND t.kind <> 2"
            " AND d.state = 'netted')",
            [row.business_date, row.terminal, row.stan, row.institution],
        )
        return bool(cursor.fetchone()[0])


def _key(row: AbnormalRow | Unanswered | Untold | Unbalanced) -> str:
    day = f"{row.business_date:%Y%m%d}" if row.business_date else ""
    stan = "" if row.stan is None else f"{row.stan:06d}"
    return f"{row.institution}:{row.terminal}:{day}:{stan}"


def _part(row: AbnormalRow) -> str:
    """The kind of transaction where the row says it, as clearing writes it; else what the switch calls the thing."""
    if row.kind.startswith("batch_"):
        return "2" if row.facts.get("reversal") else "1"
    if row.kind in _OF_REVERSALS:
        return "2"
    kind = row.facts.get("kind")
    return str(kind) if isinstance(kind, int) else row.kind


def _amount(row: AbnormalRow) -> int:
    """What is at stake in fen: the difference where both sides have an amount, else the one that there is, else 0."""
    amount, booked = row.facts.get("amount"), row.facts.get("booked")
    if row.kind == "batch_differs" and isinstance(amount, int) and isinstance(booked, int):
        return abs(amount - booked)
    return abs(amount) if isinstance(amount, int) else 0
