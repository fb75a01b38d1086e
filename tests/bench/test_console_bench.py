"""The bench of the console signs real people in at the real web process and keeps the names of its figures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bench.console import PAGES, SEARCHES, measured
from bench.console_world import console_world

from sheka.equipment.server.node import NodeConfig


def test_every_page_is_measured_beside_a_bare_view(fresh_node: Callable[[], NodeConfig]) -> None:
    with console_world(items=2_000, people=400, events=100, node=fresh_node()) as world:
        figures = {figure.name: figure for figure in measured(world, 2, 0)}
        with pytest.raises(RuntimeError, match="answered 404"):
            world.reader("haikou-producer").timed("/queue/office")
    pages = {"bare", *PAGES, *(f"search.{name}" for name in SEARCHES)}
    assert figures.keys() == {f"console.{page}.{part}" for page in pages for part in ("p50_ms", "p95_ms")}
    assert all(figure.value > 0 and figure.unit == "ms" for figure in figures.values())
    queue = figures["console.queue.unassigned.p50_ms"]
    assert queue.ratio is not None and queue.ratio > 1 and queue.baseline.startswith("a bare Django view")
