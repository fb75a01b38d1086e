"""The console at a million items of work (issue 3): milliseconds a page, and how many bare Django views that is.

`console.PAGE.p50_ms` and `.p95_ms` are times of a client on the loopback, one request after the other: the server's
time and a little more. The baseline is a Django view that answers one word, under the same gunicorn, in the same
rounds; the ratio is the median over the rounds. Promised is the queue: p95 under 150 ms. A list turns 10,000 rows deep;
behind that it asks for a filter, so the last page measured is the deepest that there is.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable

from bench.console_world import ConsoleWorld, Reader, console_world
from bench.figures import Figure, interleaved, paired_ratio

ITEMS, PEOPLE, EVENTS = 1_000_000, 200_000, 200_000
ROUNDS = 40
SECONDS = 45
QUEUE = "/queue/unassigned"

PAGES: dict[str, tuple[str, str]] = {
    "queue.mine": ("longhua-clerk", "/queue/mine"),
    "queue.unassigned": ("longhua-clerk", QUEUE),
    "queue.unassigned.kind": ("longhua-clerk", f"{QUEUE}?kind=batch.stock"),
    "queue.unassigned.due": ("longhua-clerk", f"{QUEUE}?due_from=2026-12-01&due_to=2026-12-10"),
    "queue.unassigned.case": ("longhua-clerk", f"{QUEUE}?case=1003"),
    "queue.unassigned.last_first": ("longhua-clerk", f"{QUEUE}?sort=-due"),
    "queue.unassigned.page_20": ("longhua-clerk", f"{QUEUE}?page=20"),
    "queue.unassigned.deepest": ("longhua-clerk", f"{QUEUE}?page=200"),
    "queue.waiting": ("longhua-clerk", "/queue/waiting"),
    "queue.overdue": ("longhua-clerk", "/queue/overdue"),
    "queue.returned": ("longhua-clerk", "/queue/returned"),
    "queue.recent": ("longhua-clerk", "/queue/recent"),
    "queue.office": ("haikou-supervisor", "/queue/office"),
    "queue.office.nobody": ("haikou-supervisor", "/queue/office?with=nobody&place=460100-01"),
    "queue.office.deepest": ("haikou-supervisor", "/queue/office?page=200"),
    "bell": ("longhua-clerk", "/notices/bell"),
    "overview": ("longhua-clerk", "/"),
    "inbox": ("haikou-supervisor", "/approvals"),
    "cards": ("longhua-clerk", "/cards"),
    "cards.deepest": ("longhua-clerk", "/cards?page=200"),
    "card": ("longhua-clerk", "/cards/X00000007"),
    "audit": ("haikou-auditor", "/audit"),
    "people": ("haikou-auditor", "/people"),
}
SEARCHES = {"name": "曾晓霞", "surname": "王", "pinyin": "zhangguoqiang", "initials": "zgq"}


def run(long: bool = False) -> list[Figure]:
    """All figures, within two minutes; with `long` a million people and more rounds."""
    people, rounds, seconds = (1_000_000, 200, 600) if long else (PEOPLE, ROUNDS, SECONDS)
    with console_world(items=ITEMS, people=people, events=EVENTS) as world:
        return [*measured(world, rounds, seconds), Figure("console.seeding_s", world.seeding_seconds, "s")]


def measured(world: ConsoleWorld, rounds: int, seconds: float) -> list[Figure]:
    """Two figures a page. The rounds end when `seconds` are over, after five at least."""
    readers = {login: world.reader(login) for login in {login for login, _path in PAGES.values()}}
    bare = world.stranger()
    pages: dict[str, Callable[[], float]] = {"bare": lambda: bare.timed("/")}
    for name, (login, path) in PAGES.items():
        pages[name] = _page(readers[login], path)
    for name, words in SEARCHES.items():
        pages[f"search.{name}"] = _search(readers["longhua-clerk"], words)
    interleaved(2, *pages.values())
    end, taken = time.monotonic() + seconds, [[] for _ in pages]  # type: ignore[var-annotated]
    for number in range(rounds):
        if number >= 5 and time.monotonic() > end:
            break
        for times, once in zip(taken, interleaved(1, *pages.values()), strict=True):
            times += once
    return _figures(dict(zip(pages, taken, strict=True)))


def _page(reader: Reader, path: str) -> Callable[[], float]:
    return lambda: reader.timed(path)


def _search(reader: Reader, words: str) -> Callable[[], float]:
    """The page of results; the words are posted before, as from the box in the frame."""
    where = reader.post("/search", reader.get("/search")[1], text=words)
    return lambda: reader.timed(where)


def _figures(taken: dict[str, list[float]]) -> Iterable[Figure]:
    base = taken["bare"]
    against = f"a bare Django view: {statistics.median(base):.2f} ms"
    for name, times in taken.items():
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20, method="inclusive")[-1]
        ratio = None if name == "bare" else paired_ratio(times, base)
        yield Figure(f"console.{name}.p50_ms", p50, "ms", ratio, against if ratio else "", f"{len(times)} requests")
        yield Figure(f"console.{name}.p95_ms", p95, "ms")


if __name__ == "__main__":
    started = time.monotonic()
    for figure in run():
        print(figure)
    print(f"{time.monotonic() - started:.0f} s")
