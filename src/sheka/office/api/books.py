"""Where a client's rows are: a partner's stand in the books of the bureau above it, narrowed by the query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sheka.office.organisations.queries import bureau_of, organisation
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor


@contextmanager
def in_books(actor: Actor) -> Iterator[Actor]:
    """Inside, the actor given reads the rows of its bureau. Only for queries that narrow them to the partner itself, or
    to the one thing that it named.
    """
    reader = replace(actor, books=bureau_of(organisation(actor.organisation)).path)
    with acting_in(reader.scope):
        yield reader
