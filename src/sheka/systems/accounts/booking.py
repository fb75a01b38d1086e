"""How the verbs of accounts book: numbers derived from what is booked, and chains that stand or fall as one (S6)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sheka.office.staff.actors import Actor
from sheka.systems.accounts.posting import Item, Posted, must_be_done, post

DERIVED_SQL = "encode(substring(sha256(convert_to({}, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid"
"""`number_from` in SQL: the parts joined by colons stand in place of {}."""


def number_from(*parts: object) -> UUID:
    """The number of a booking, always the same for the same parts: a second try books nothing twice."""
    return UUID(bytes=hashlib.sha256(":".join(map(str, parts)).encode()).digest()[:16])


def book_all(actor: Actor, items: Sequence[Item]) -> list[Posted]:
    """Book a chain: all of it or nothing. Raises Refused with the reason of the first that cannot be booked."""
    chain = [replace(item, linked=place < len(items)) for place, item in enumerate(items, start=1)]
    posted = post(actor, chain)
    must_be_done(chain, posted)
    return posted
