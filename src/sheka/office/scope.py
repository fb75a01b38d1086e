"""Whose rows may be seen now: the scope that row-level security enforces in the database (design §2.6).

The scope is a path of the tree of organisations, or several joined by commas. It is set for a request by the
middleware, for a verb by the action's frame, for a message by its delivery, for a process of the node by `whole_node`.
Nothing set means no rows: a new thread, a new connection and a forgotten call all see nothing. Where `whole_node` may
stand, tools/check_scope.toml says with the reason (docs/adr/0006).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NOTHING = ""
ROOT = "o000000"
_scope: ContextVar[str] = ContextVar("sheka_scope", default=NOTHING)


def current() -> str:
    """The scope of this thread of work: paths joined by commas, or "" for none."""
    return _scope.get()


@contextmanager
def acting_in(*paths: str) -> Iterator[None]:
    """Inside, rows of these organisations and of all below them can be seen and written."""
    token = _scope.set(",".join(path for path in paths if path))
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def whole_node(why: str) -> Iterator[None]:
    """Inside, every row of the node can be seen. `why` is for the reader of the code: a sentence, never empty."""
    if not why.strip():
        raise ValueError("whole_node needs its reason")
    with acting_in(ROOT):
        yield
