"""Where a client's rows are: a partner's stand in the books of the bureau above it, narrowed by the query (S9)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sheka.office.organisations.queries import bureau_of, organisation
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor


@contextmanager
def in_books(actor: Actor) -> Iterator[None]:
    """Inside, the rows of the actor's bureau can be seen: only for queries that narrow them to the partner itself, or
    to the one thing that it named."""
    with acting_in(bureau_of(organisation(actor.organisation)).path):
        yield
