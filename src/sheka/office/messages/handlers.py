"""Which function takes which kind of message. Each system registers its own in its `messages` module."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sheka.office.messages.models import Inbox

Handler = Callable[["Inbox"], None]
_handlers: dict[str, Handler] = {}


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register a handler: it runs in the transaction that marks the message as handled."""

    def register(function: Handler) -> Handler:
        if kind in _handlers and _handlers[kind] is not function:
            raise ValueError(f"{kind} has a handler already")
        _handlers[kind] = function
        return function

    return register


def handler_of(kind: str) -> Handler | None:
    return _handlers.get(kind)
