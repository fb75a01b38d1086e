"""The searches of transactions that the console and the API offer (S4), as the statements that they run, and what their
plans say: which partitions are looked at, and how.

Runs inside a process of the node (`django.setup()` before the import). `python -m bench.search_plans` is what the bench
starts: it prints, for each search, milliseconds, partitions and what is read whole, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import django
from django.apps import apps

if not apps.ready:
    django.setup()

from django.db import connection
from django.test.utils import CaptureQueriesContext

from sheka.faces.console.transactions.lists import between, chosen_rows
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.systems.transactions.queries import (
    numbered,
    transactions_in_reach,
    transactions_of_card,
    transactions_read_by,
)

PARTITIONS = "transactions_transaction"


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands in the tables: a day in the middle, a card, an institution with few terminals and one of those, a
    number, a retrieval reference.
    """

    day: date
    card: str
    institution: str
    terminal: str
    number: int
    rrn: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement's plan: partitions that were looked at, those that were read whole, rows that came, milliseconds."""

    statement: str
    partitions: int
    whole: tuple[str, ...]
    rows: int
    milliseconds: float
    indexes: tuple[str, ...]


def searches(actor: Actor, facts: Facts) -> dict[str, Callable[[], object]]:
    """Name → what runs it."""
    day, before = facts.day, f"{facts.day:%Y%m%d}-{facts.number}"
    span = {"day_from": str(day - timedelta(days=6)), "day_to": str(day)}
    console = {
        "console.latest": {},
        "console.older": {"before": before},
        "console.newer": {"after": before},
        "console.day": {"day_from": str(day), "day_to": str(day)},
        "console.refused": {"outcome": "refused", **span},
        "console.response": {"response": "51", **span},
        "console.kind": {"kind": "6", **span},
        "console.institution": {"institution": facts.institution},
        "console.terminal": {"terminal": facts.terminal},
        "console.terminal.stan": {"terminal": facts.terminal, "stan": "7"},
        "console.stan": {"stan": "7"},
        "console.rrn": {"rrn": facts.rrn},
        "console.rrn.none": {"rrn": "999999999999"},
        "console.amount": {"amount_from": "77777"},
        "console.card": {"card": facts.card},
        "console.card.day": {"card": facts.card, **span},
    }
    found: dict[str, Callable[[], object]] = {
        name: (lambda values=values: between(chosen_rows(values, actor)[0], values, 50))
        for name, values in console.items()
    }
    found["api.latest"] = lambda: list(transactions_read_by(actor).order_by("-business_date", "-id")[:51])
    found["api.day"] = lambda: list(transactions_read_by(actor, on=day).order_by("-business_date", "-id")[:51])
    found["api.number"] = lambda: numbered(transactions_in_reach(actor), facts.number).first()
    found["card.page"] = lambda: list(transactions_of_card(facts.card)[:20])
    return found


def plans(actor: Actor, facts: Facts, *, run: bool = False) -> Iterator[tuple[str, list[Plan]]]:
    """Search → the plans of its statements that touch transactions; `run`: executed, after a first time unmeasured."""
    for name, ask in searches(actor, facts).items():
        with CaptureQueriesContext(connection) as seen:
            ask()
        asked = [one["sql"] for one in seen.captured_queries if PARTITIONS in one["sql"]]
        yield name, [_plan(statement, run) for statement in asked if statement.lstrip()[:6].upper() in ("SELECT",)]


def _plan(statement: str, run: bool) -> Plan:
    options = "ANALYZE, FORMAT JSON" if run else "FORMAT JSON"
    with connection.cursor() as cursor:
        began = time.perf_counter()
        if run:
            cursor.execute(statement.replace("%", "%%"))
            cursor.fetchall()
        taken = 1000 * (time.perf_counter() - began)
        cursor.execute(f"EXPLAIN ({options}) {statement}".replace("%", "%%"))
        told = cursor.fetchone()[0]
    plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    nodes = [node for node in _nodes(plan) if str(node.get("Relation Name", "")).startswith(PARTITIONS)]
    used = [node for node in nodes if not run or node["Actual Loops"]]
    whole = sorted({node["Relation Name"] for node in used if node["Node Type"] == "Seq Scan"})
    indexes = {str(node.get("Index Name", "")) for node in _nodes(plan) if node.get("Index Name")}
    touched = {node["Relation Name"] for node in used}
    return Plan(statement, len(touched), tuple(whole), int(plan.get("Actual Rows", 0)), taken, tuple(sorted(indexes)))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for one in plan.get("Plans", ()):
        yield from _nodes(one)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    facts = Facts(**{**given, "day": date.fromisoformat(given["day"])})
    with whole_node("the searches of transactions are measured"):
        found = {
            name: [asdict(one) for one in plans_of]
            for name, plans_of in plans(Actor.process("bench", "460100"), facts, run=True)
        }
    print(json.dumps(found))
