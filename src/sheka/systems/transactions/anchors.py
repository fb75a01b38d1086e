"""Anchors: the seals of the hot path under one Merkle root, which stands in the audit chain (design §2.4, S4).

The switch pays one hash a batch; every minute the worker puts the seals that are new under a root and records it in
the chain, whose heads are signed outside the database. A transaction is then proved by its batch, the path from the
seal to the root, and the row of the audit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import connection

from sheka.foundation.crypto.merkle import includes, proof_of, root_of
from sheka.office.scope import whole_node
from sheka.systems.transactions.models import Anchor, AnchoredStretch, Transaction
from sheka.systems.transactions.queries import SealFault
from sheka.systems.transactions.sealing import STREAM_SHIFT, leaf_of

MOST_AT_ONCE = 100_000
_NEW = f"""
WITH RECURSIVE streams AS (
    SELECT (SELECT min(id) FROM transactions_seal) >> {STREAM_SHIFT} AS stream
    UNION ALL
    SELECT (SELECT min(id) FROM transactions_seal WHERE id >= (stream + 1) << {STREAM_SHIFT}) >> {STREAM_SHIFT}
    FROM streams WHERE stream IS NOT NULL
)
SELECT fresh.id, fresh.root FROM streams
CROSS JOIN LATERAL (SELECT max(t.last) AS place FROM transactions_anchoredstretch t
                    WHERE t.stream = streams.stream) anchored
CROSS JOIN LATERAL (SELECT s.id, s.root FROM transactions_seal s
                    WHERE s.id > (streams.stream << {STREAM_SHIFT}) + coalesce(anchored.place, 0)
                    AND s.id < (streams.stream + 1) << {STREAM_SHIFT}) fresh
WHERE streams.stream IS NOT NULL ORDER BY fresh.id LIMIT {MOST_AT_ONCE}
"""  # noqa: S608 - our own numbers
_SEALS = f"""
SELECT t.anchor_id, s.id, s.root FROM transactions_anchoredstretch t JOIN transactions_seal s
    ON s.id BETWEEN (t.stream << {STREAM_SHIFT}) + t.first AND (t.stream << {STREAM_SHIFT}) + t.last
"""  # noqa: S608 - our own numbers
_ANCHORED = f"{_SEALS} ORDER BY t.anchor_id, s.id"
_ANCHORS = """
SELECT a.id, a.root, t.stream, t.first, e.facts FROM transactions_anchor a
LEFT JOIN LATERAL (SELECT stream, first FROM transactions_anchoredstretch WHERE anchor_id = a.id
    ORDER BY stream LIMIT 1) t ON true
LEFT JOIN audit_event e ON e.sequence = a.sequence AND e.event = 'seals.anchored' ORDER BY a.id
"""
Leaf = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Proof:
    """That a seal stands under an anchor: `place` of `size` leaves, `path` of neighbours (32 bytes each), `root`, and
    the number of the audit row that holds the root.
    """

    seal: int
    seal_root: bytes
    place: int
    size: int
    path: list[bytes]
    root: bytes
    sequence: int

    @property
    def holds(self) -> bool:
        return includes(self.root, self.size, self.place, leaf_of((self.seal, self.seal_root)), self.path)


def new_seals() -> list[Leaf]:
    """The seals that no anchor holds yet, in the order of their numbers; a hundred thousand at most."""
    with connection.cursor() as cursor:
        cursor.execute(_NEW)
        return [(row[0], bytes(row[1])) for row in cursor.fetchall()]


def stretches_of(seals: list[Leaf]) -> list[tuple[int, int, int]]:
    """Stream, first and last place of each run of seals."""
    found: dict[int, list[int]] = {}
    for number, _root in seals:
        stream, place = number >> STREAM_SHIFT, number & (1 << STREAM_SHIFT) - 1
        found.setdefault(stream, [place, place])[1] = place
    return [(stream, first, last) for stream, (first, last) in sorted(found.items())]


def leaves_of(anchor: Anchor) -> list[Leaf]:
    """The seals under an anchor as they are now."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_SEALS} WHERE t.anchor_id = %s ORDER BY s.id", [anchor.pk])
        return [(row[1], bytes(row[2])) for row in cursor.fetchall()]


def proof_for(transaction: Transaction) -> Proof | None:
    """The proof of the batch that this transaction was sealed with; None while it is not anchored."""
    stream, place = transaction.seal >> STREAM_SHIFT, transaction.seal & (1 << STREAM_SHIFT) - 1
    stretch = (
        AnchoredStretch.objects.select_related("anchor")
        .filter(stream=stream, first__lte=place, last__gte=place)
        .first()
    )
    if stretch is None:
        return None
    leaves = leaves_of(stretch.anchor)
    position = next(number for number, leaf in enumerate(leaves) if leaf[0] == transaction.seal)
    path = proof_of([leaf_of(leaf) for leaf in leaves], position)
    anchor = stretch.anchor
    seal, root = leaves[position]
    return Proof(seal, root, position, len(leaves), path, bytes(anchor.root), anchor.sequence)


@whole_node("anchors hold the seals of every organisation")
def verify_anchors() -> list[SealFault]:
    """Recompute each anchor from its seals and look it up in the audit chain. Empty: they hold.

    Two statements over all of them, in the order of the anchors: a node has half a million a year.
    """
    faults = []
    with connection.chunked_cursor() as anchors, connection.chunked_cursor() as seals:
        anchors.execute(_ANCHORS)
        seals.execute(_ANCHORED)
        leaves = groupby(_rows_of(seals), key=lambda row: row[0])
        found = next(leaves, None)
        for number, root, stream, first, facts in _rows_of(anchors):
            roots = b""
            if found is not None and found[0] == number:
                roots = root_of(leaf_of((row[1], bytes(row[2]))) for row in found[1])
                found = next(leaves, None)
            where = 0 if stream is None else (stream << STREAM_SHIFT) + first
            if roots != bytes(root):
                faults.append(SealFault(where, "a seal under an anchor was changed"))
            if facts is None or bytes(root).hex() not in facts:
                faults.append(SealFault(where, "the audit chain does not hold this anchor"))
    return faults


def _rows_of(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(5000):
        yield from rows
