"""How a batch is said to the database and which rows it leaves (S4): the functions of the switch, their arguments, and
what is sealed of their answers.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sheka.foundation.refusals import Code
from sheka.systems.transactions import sealing
from sheka.systems.transactions.limits_policy import LimitsPolicy
from sheka.systems.transactions.switch.requests import ZONE, Request, Verb

_ARRAYS = (
    "$1::date, $2::integer[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::bigint[], $8::smallint[],"
    " $9::smallint[], $10::text[], $11::integer[], $12::bigint"
)
_PURCHASE = f"SELECT * FROM switch_purchase_batch({_ARRAYS}, $13::integer[], $14::bigint[], $15::text[])"  # noqa: S608
_OTHERS = (
    f"SELECT * FROM switch_verb_batch({_ARRAYS}, $13::smallint[], $14::boolean[], $15::date[],"  # noqa: S608
    " $16::integer[], $17::integer[], $18::smallint[], $19::bigint[], $20::timestamptz[], $21::integer[],"
    " $22::integer[], $23::bigint[], $24::text[])"
)
_REFUSE = f"SELECT * FROM switch_refuse_batch({_ARRAYS}, $13::integer[])"  # noqa: S608


def said(
    verb: Verb, day: date, group: list[Request], refusals: list[int] | None, seal: int, policy: LimitsPolicy
) -> tuple[object, ...]:
    """The statement and its arguments; `refusals`: the numbers of those that are barred, 0 for the others."""
    return (
        _OTHERS if verb is not Verb.PURCHASE else _REFUSE if refusals else _PURCHASE,
        day,
        [one.terminal.institution_id for one in group],
        [one.terminal.id for one in group],
        [one.stan for one in group],
        [one.card for one in group],
        [one.scheme for one in group],
        [one.amount for one in group],
        [one.currency for one in group],
        [one.country for one in group],
        [one.rrn for one in group],
        [one.local_time for one in group],
        seal,
        *_rest(verb, group, refusals, policy),
    )


def _rest(verb: Verb, group: list[Request], refusals: list[int] | None, policy: LimitsPolicy) -> tuple[object, ...]:
    """What a function wants beside the twelve that all have."""
    if refusals and verb is Verb.PURCHASE:
        return (refusals,)
    now = datetime.now(ZONE)
    figures, places, kinds = policy.table(now.date())
    classes = [
        places.get((one.scheme, one.terminal.institution[0], one.kind), places.get((one.scheme, "*", one.kind)))
        for one in group
    ]
    if verb is Verb.PURCHASE:
        return classes, figures, kinds
    lapses = now + timedelta(days=policy.held_days)
    return (
        [one.kind for one in group],
        [_told(one) for one in group],
        [one.original_date for one in group],
        [one.original_terminal for one in group],
        [one.original_stan for one in group],
        [one.original_kind for one in group],
        [one.kept for one in group],
        [lapses if one.verb is Verb.PRE_AUTHORISATION else None for one in group],
        refusals or [0] * len(group),
        classes,
        figures,
        kinds,
    )


def _told(request: Request) -> bool:
    """Whether it was done before we were asked: an advice. A refund comes in such a message too, and is asked for."""
    return request.type[:3] == "022" and request.verb is not Verb.REFUND


def rows_of(verb: Verb, day: date, group: list[Request], row: Any) -> list[tuple[object, ...]]:
    """The rows that a batch wrote, as they are sealed, in the order of their numbers."""
    if row["places"] is None:
        return []
    window, at = row["window_id"], sealing.microseconds(row["booked_at"])
    written: list[tuple[object, ...]] = []
    columns = zip(
        row["places"], row["refusals"], row["ids"], row["balances"], row["accounts"], row["cards"], strict=True
    )
    for index, (place, refusal, number, balance, account, card) in enumerate(columns):
        one = group[place - 1]
        terminal = one.terminal
        key = (day, terminal.institution_id, terminal.id, one.stan, one.local_time, one.card, one.scheme)
        rest = (one.currency, one.country, one.rrn)
        if verb is Verb.PURCHASE:
            written.append((number, 1, *key, one.amount, *rest, refusal, balance, account, card, window, None, at))
            continue
        end = (balance, account, card, window, row["originals"][index], at)
        further = (row["original_dates"][index], row["moves"][index], _told(one))
        written.append((number, one.kind, *key, row["amounts"][index], *rest, refusal, *end, *further))
        tombstone = row["tombstones"][index]
        if tombstone is not None:
            refused = Code.TRANSACTION_REVERSED_BEFORE.value
            end = (None, None, None, window, None, at)
            written.append((tombstone, one.original_kind, *key, one.amount, *rest, refused, *end))
    written.sort(key=lambda item: item[0])  # type: ignore[arg-type,return-value]
    return written
