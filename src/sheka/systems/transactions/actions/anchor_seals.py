"""Put the new seals of the hot path under one Merkle root in the audit chain (design §2.4)."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from sheka.foundation.crypto.merkle import root_of
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.anchors import leaf_of, new_seals, stretches_of
from sheka.systems.transactions.models import Anchor, AnchoredStretch

_LOCK = 0x5348454B_42


@action(Permission.TRANSACTION_VERIFY)
def anchor_seals(actor: Actor) -> Anchor:
    """One anchor over all seals that no anchor holds. Call it when there are some; the audit row says how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    seals = new_seals()
    root = root_of(leaf_of(seal) for seal in seals)
    sequence = record(actor, "seals.anchored", "seals:transactions", root=root, seals=len(seals))
    anchor = Anchor.objects.create(root=root, seals=len(seals), sequence=sequence, anchored_at=timezone.now())
    AnchoredStretch.objects.bulk_create(
        AnchoredStretch(anchor=anchor, stream=stream, first=first, last=last)
        for stream, first, last in stretches_of(seals)
    )
    return anchor
