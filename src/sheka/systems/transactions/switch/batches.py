"""Natural batches: what queued while the last batch ran is the next batch; no timer (design §3).

One lane is enough while it keeps up: every further batch that runs beside it makes both smaller, and a batch costs the
same whether it holds eight purchases or eighty. So another lane starts only when a crowd is waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
Work = Callable[[list[T]], Awaitable[None]]


class Queue(Generic[T]):
    """One queue before several lanes. `lanes` are what works on a batch (at most `most` items); it must not raise."""

    def __init__(self, lanes: list[Work[T]], *, most: int, crowd: int) -> None:
        self._idle = lanes
        self._busy = 0
        self._most = most
        self._crowd = crowd
        self._items: list[T] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, item: T) -> None:
        self._items.append(item)
        if self._idle and (not self._busy or len(self._items) >= self._crowd):
            self._busy += 1
            task = asyncio.create_task(self._run(self._idle.pop()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def idle(self) -> bool:
        return not self._busy and not self._items

    async def _run(self, lane: Work[T]) -> None:
        try:
            while self._items and (self._busy == 1 or len(self._items) >= self._crowd):
                batch, self._items = self._items[: self._most], self._items[self._most :]
                await lane(batch)
        finally:
            self._busy -= 1
            self._idle.append(lane)
