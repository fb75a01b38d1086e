"""Natural batches: what queued while the last batch ran is the next batch; no timer (design §3).

One lane is enough while it keeps up: every further batch that runs beside it makes both smaller, and a batch costs the
same whether it holds eight purchases or eighty. So another lane starts only when a crowd is waiting.

When not all fit into a batch, each line has its turn before any has another one: who sends thousands waits behind
himself, and not everybody behind him.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar


class Sent(Protocol):
    """What came over a line."""

    @property
    def line(self) -> Hashable: ...


T = TypeVar("T", bound=Sent)
Work = Callable[[list[T]], Awaitable[None]]


class Queue(Generic[T]):
    """One queue before several lanes. `lanes` are what works on a batch (at most `most` items); it must not raise."""

    def __init__(self, lanes: list[Work[T]], *, most: int, crowd: int) -> None:
        self._idle = lanes
        self._busy = 0
        self._most = most
        self._crowd = crowd
        self._waiting: OrderedDict[Hashable, deque[T]] = OrderedDict()
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, item: T) -> None:
        mine = self._waiting.get(item.line)
        if mine is None:
            mine = self._waiting[item.line] = deque()
        mine.append(item)
        self._count += 1
        if self._idle and (not self._busy or self._count >= self._crowd):
            self._busy += 1
            task = asyncio.create_task(self._run(self._idle.pop()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def __len__(self) -> int:
        return self._count

    def of(self, line: Hashable) -> int:
        """How many of one line wait."""
        return len(self._waiting.get(line, ()))

    @property
    def idle(self) -> bool:
        return not self._busy and not self._count

    async def _run(self, lane: Work[T]) -> None:
        try:
            while self._count and (self._busy == 1 or self._count >= self._crowd):
                await lane(self._take())
        finally:
            self._busy -= 1
            self._idle.append(lane)

    def _take(self) -> list[T]:
        """The next batch: of each line in turn, in the order of their lines and of each line's messages."""
        waiting = self._waiting
        if self._count <= self._most:
            batch = [item for mine in waiting.values() for item in mine]
            waiting.clear()
        else:
            batch = []
            while len(batch) < self._most:
                line, mine = waiting.popitem(last=False)
                batch.append(mine.popleft())
                if mine:
                    waiting[line] = mine  # behind the others
        self._count -= len(batch)
        return batch
