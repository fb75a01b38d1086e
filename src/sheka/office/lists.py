"""Audit rows of lists that were read or taken away as a file: who, which list, by what filters, how many rows."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission


@action(Permission.LIST_EXPORT)
def note_export(actor: Actor, name: str, filters: Mapping[str, str], rows: int) -> None:
    """The list `name` leaves the house as a file of so many rows."""
    record(actor, "list.exported", f"list:{name}", filters=dict(filters), rows=rows)


def note_read(actor: Actor, name: str, filters: Mapping[str, str], page: int, rows: int) -> None:
    """A page of a list of people was shown. The page itself asked for the permission."""
    with transaction.atomic():
        record(actor, "list.read", f"list:{name}", filters=dict(filters), page=page, rows=rows)
