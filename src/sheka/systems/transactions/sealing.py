"""Seals of the hot path (design §2.4): SM3 over the rows of a batch, chained within a stream.

A stream is one connection of one switch process; the number of a seal is stream · 2^32 + place. Root = SM3(root
before ‖ the rows in the order of their numbers). The root is written in the transaction of its rows; `verify_seals`
computes it again. Plain Python: the switch imports it without Django.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

GENESIS = bytes(32)
STREAM_SHIFT = 32


class SealedRow(NamedTuple):
    """A row of transactions_transaction in the order in which it is sealed; times are epoch microseconds."""

    id: int
    kind: int
    business_date: date
    institution_id: int
    terminal_id: int
    stan: int
    local_time: int
    card_number: str
    scheme: str
    amount: int
    currency: int
    country: int
    rrn: str
    refusal: int
    balance_after: int | None
    account_id: int | None
    card_id: int | None
    window_id: int
    original: int | None
    booked_at: int


class Further(NamedTuple):
    """What came to the table later. It is sealed behind the others where it says something: the seals of rows from
    before stay valid, and so does the short form of an ordinary purchase.
    """

    original_date: date | None = None
    moved: int | None = None
    advice: bool = False


COLUMNS = (
    "id, kind, business_date, institution_id, terminal_id, stan, local_time, card_number, scheme, amount, currency,"
    " country, rrn, refusal, balance_after, account_id, card_id, window_id, original,"
    " (extract(epoch FROM booked_at) * 1000000)::bigint, original_date, moved, advice"
)
WIDTH = len(SealedRow._fields)
_FORM = "|".join(["%s"] * WIDTH) + "\n"
_LONG_FORM = "|".join(["%s"] * (WIDTH + len(Further._fields))) + "\n"
_NOTHING_FURTHER = Further()


def root_of(previous: bytes, rows: Iterable[tuple[object, ...]]) -> bytes:
    """The root (32 bytes) of rows that stand in the order of their numbers, each in the order of `SealedRow`, with or
    without `Further` behind it.
    """
    text = "".join([_FORM % row if len(row) == WIDTH else _long(row) for row in rows])
    return hashlib.new("sm3", previous + text.encode()).digest()


def _long(row: tuple[object, ...]) -> str:
    return _FORM % row[:WIDTH] if row[WIDTH:] == _NOTHING_FURTHER else _LONG_FORM % row


def microseconds(at: datetime) -> int:
    """Epoch microseconds, exactly as PostgreSQL gives them."""
    whole = int(at.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + at.microsecond


def leaf_of(seal: tuple[int, bytes]) -> bytes:
    """What a Merkle tree hashes of a seal: its number (8 bytes, big-endian) and its root."""
    return seal[0].to_bytes(8, "big") + bytes(seal[1])
