"""The searches of transactions (S4) over millions of rows: milliseconds each, and how many days it looks at.

The rows lie in thirty days of one institution with thousands of terminals; a second one with two terminals has a few
of them. Each search is the statement that the console or the API runs, under the row-level security of the
application's role, once unmeasured and once measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from bench import switch_rows
from bench.figures import Figure
from bench.switch_world import CITY, BenchWorld, bench_world
from sheka.equipment.server.node import node_environment

ROWS, ROWS_LONG, DAYS = 300_000, 10_000_000, 30
SMALL = "P46010000009"
_SMALL = f"""
INSERT INTO transactions_institution (code, name, organisation_id, account_id, mac_key, mac_check_value, state,
        registered_at)
    SELECT '{SMALL}', 'small', organisation_id, account_id, 'none', '', 'active', now() FROM transactions_institution;
INSERT INTO transactions_terminal (number, institution_id, state, registered_at)
    SELECT '{CITY}00900' || n, i.id, 'active', now() FROM generate_series(1, 2) n
    JOIN transactions_institution i ON i.code = '{SMALL}';
INSERT INTO transactions_transaction SELECT (t).* FROM (SELECT jsonb_populate_record(t, jsonb_build_object(
    'institution_id', i.id, 'terminal_id', (SELECT max(id) FROM transactions_terminal) - t.stan % 2)) AS t
    FROM transactions_transaction t JOIN transactions_institution i ON i.code = '{SMALL}' WHERE t.terminal_id = 3) t;
VACUUM ANALYZE transactions_transaction
"""


def run(long: bool = False, *, rows: int = 0, dump: Path | None = None) -> list[Figure]:
    """A figure for each search: of 300,000 rows, with `long` of ten million."""
    rows = rows or (ROWS_LONG if long else ROWS)
    with bench_world(cards=20_000, terminals=2_000, dump=dump) as world:
        for _done in switch_rows.fill(world, rows, -(-rows // DAYS)):
            pass
        facts = _facts(world)
        environment = {**os.environ, **node_environment(world.node)}
        command = [sys.executable, "-m", "bench.search_plans", json.dumps(facts)]
        root = Path(__file__).resolve().parents[1]
        done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
    figures = []
    for name, plans in json.loads(done.stdout.splitlines()[-1]).items():
        partitions = max(plan["partitions"] for plan in plans)
        whole = sum(len(plan["whole"]) for plan in plans)
        indexes = sorted({index.split("_20")[-1][8:] or index for plan in plans for index in plan["indexes"]})
        figures.append(
            Figure(
                f"search.{name}",
                sum(plan["milliseconds"] for plan in plans),
                "ms",
                detail=f"{rows} rows in {DAYS} days; partitions read: {partitions}, of these without an index: {whole};"
                f" by {', '.join(one.lstrip('_') for one in indexes)[:200]}",
            )
        )
    return figures


def _facts(world: BenchWorld) -> dict[str, object]:
    day = (world.today - timedelta(days=12)).date()
    with world.cluster.administrator(world.node.file.database.name) as connection:
        for statement in _SMALL.split(";\n"):
            connection.execute(statement)  # type: ignore[arg-type]
        row = connection.execute(
            "SELECT id, card_number, rrn FROM transactions_transaction WHERE business_date = %s ORDER BY id LIMIT 1",
            [day],
        ).fetchone()
    number, card, rrn = row or (0, "", "")
    return {
        "day": str(day),
        "card": card,
        "institution": SMALL,
        "terminal": f"{CITY}009001",
        "number": number,
        "rrn": rrn,
    }
