"""The bench of row-level security on a small world: every figure under its name."""

from __future__ import annotations

from collections.abc import Callable

from bench import scope
from sheka.equipment.server.node import NodeConfig


def test_every_statement_is_measured_in_both_scopes(fresh_node: Callable[[], NodeConfig]) -> None:
    figures = scope.run(people=2_000, node=fresh_node())
    assert {figure.name for figure in figures} == {
        f"scope.{name}.{where}" for name in scope.STATEMENTS for where in scope.SCOPES
    }
    assert all(figure.value > 0 and figure.ratio for figure in figures)
