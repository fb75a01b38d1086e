"""Natural batches: what queued while the last batch ran is the next batch; no timer (design §3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Batcher(Generic[T]):
    """Collects items and hands them to `work`, one batch at a time, at most `most` at once.

    `work` must not raise: it answers every item itself.
    """

    def __init__(self, work: Callable[[list[T]], Awaitable[None]], most: int) -> None:
        self._work = work
        self._most = most
        self._queue: list[T] = []
        self._task: asyncio.Task[None] | None = None

    def put(self, item: T) -> None:
        self._queue.append(item)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def put_all(self, items: list[T]) -> None:
        if items:
            self._queue += items
            if self._task is None:
                self._task = asyncio.create_task(self._run())

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def idle(self) -> bool:
        return self._task is None

    async def _run(self) -> None:
        try:
            while self._queue:
                batch, self._queue = self._queue[: self._most], self._queue[self._most :]
                await self._work(batch)
        finally:
            self._task = None
            if self._queue:
                self._task = asyncio.create_task(self._run())
