"""Row-level security: what the policies cost on many cards in a tree of 19,000 organisations.

The baseline is the same statement by a role that sees everything, on the same tables in the same run; rounds alternate.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench.figures import Figure
from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.equipment.server.ports import free_port
from sheka.equipment.server.postgres import PostgresCluster

PEOPLE, PEOPLE_LONG = 200_000, 1_000_000
PROVINCES, CITIES, OUTLETS = 31, 15, 40
SETTINGS = {"fsync": "off", "max_wal_size": "4GB", "shared_buffers": "512MB", "max_parallel_workers_per_gather": "0"}
CITY = "o000000.o110000.o110100"
SCOPES = {"city": CITY, "ministry": "o000000"}
#: A counter looks up one card, lists the cards of its city in a state, counts them; an auditor turns a page.
STATEMENTS = {
    "card_by_number": "SELECT * FROM cards_card WHERE number = 'C00000031'",
    "life_of_a_card": "SELECT at FROM cards_card c JOIN cards_cardevent ON card_id = c.id WHERE number = 'C00000031'",
    "page_of_cards": "SELECT c.* FROM cards_card c JOIN organisations_organisation o ON o.code = c.organisation_id"
    " WHERE o.path <@ '{path}' AND c.state = 'active' ORDER BY c.id LIMIT 50",
    "count_of_a_city": "SELECT count(*) FROM cards_card WHERE organisation_id = '110100' AND state = 'active'",
}
_SEED = """
SET session_replication_role = replica;
INSERT INTO organisations_organisation (code, name, name_en, kind, region, parent_id, path, valid_from)
    VALUES ('000000', 'm', 'm', 'ministry', '000000', NULL, 'o000000', '2026-01-01');
INSERT INTO organisations_organisation (code, name, name_en, kind, region, parent_id, path, valid_from)
    SELECT p::text || '0000', 'p', 'p', 'province', p::text || '0000', '000000', ('o000000.o' || p || '0000')::ltree,
        '2026-01-01' FROM generate_series(11, 10 + {provinces}) p;
INSERT INTO organisations_organisation (code, name, name_en, kind, region, parent_id, path, valid_from)
    SELECT code, 'c', 'c', 'city', code, above, ('o000000.o' || above || '.o' || code)::ltree, '2026-01-01'
    FROM (SELECT n || '0000' AS above, n || lpad(k::text, 2, '0') || '00' AS code
        FROM generate_series(11, 10 + {provinces}) n, generate_series(1, {cities}) k) p;
INSERT INTO organisations_organisation (code, name, name_en, kind, region, parent_id, path, valid_from)
    SELECT code || '-' || n, 'o', 'o', 'outlet', region, code, path || ('o' || code || '_' || n)::ltree, '2026-01-01'
    FROM organisations_organisation, generate_series(1, {outlets}) n WHERE kind = 'city';
INSERT INTO cards_person (organisation_id, social_security_number, name, sex, birth, ethnic_group, birthplace, phone,
        address, registered_at)
    SELECT (11 + n % {provinces}) || lpad((1 + n / {provinces} % {cities})::text, 2, '0') || '00',
        'B' || lpad(n::text, 17, '0'), 'bench', 1, '1990-01-01', '01', '', '', '', now()
    FROM generate_series(0, {people} - 1) n;
INSERT INTO cards_card (number, person_id, organisation_id, outlet_id, batch_id, right_id, state, version, algorithm,
        specification, key_version, card_class, factor)
    SELECT 'C' || lpad(id::text, 8, '0'), id, organisation_id, organisation_id || '-1', 1, 1,
        CASE WHEN id % 3 = 0 THEN 'active' ELSE 'handed_out' END, 1, 3, '3.00', 1, '3', '' FROM cards_person;
INSERT INTO cards_cardevent (card_id, at, event, facts, by, organisation_id)
    SELECT id, now(), 'ordered', '{{}}', 'bench', organisation_id FROM cards_card WHERE id % 4 = 0 OR id = 31;
"""


def run(long: bool = False, people: int | None = None, node: NodeConfig | None = None) -> list[Figure]:
    """Milliseconds of each statement under the policies, and the ratio to a role that sees everything. `node`: one
    whose database is migrated and empty; left out: a cluster of its own.
    """
    rounds, people = 15 if long else 7, people or (PEOPLE_LONG if long else PEOPLE)
    figures = []
    with seeded(people, node) as connect:
        for scope, path in SCOPES.items():
            app, backup = connect("app", path), connect("backup", path)
            for name, statement in STATEMENTS.items():
                asked = statement.format(path=path)
                taken = [(_milliseconds(app, asked), _milliseconds(backup, asked)) for _ in range(rounds)]
                ours, theirs = (statistics.median(column) for column in zip(*taken, strict=True))
                plan = " ".join(row[0] for row in app.execute(f"EXPLAIN (COSTS OFF) {asked}"))
                way = "hashed set" if "hashed SubPlan" in plan else "one look at the tree"
                figures.append(
                    Figure(
                        f"scope.{name}.{scope}",
                        ours,
                        "ms",
                        statistics.median(own / other for own, other in taken),
                        f"the same by a role that bypasses the policies: {theirs:.2f} ms",
                        f"{people} people and cards; the policy by {way}",
                    )
                )
    return figures


@contextmanager
def _own_node() -> Iterator[NodeConfig]:
    """A node in a temporary folder, its cluster running, its database migrated; nothing of it is left."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="sheka-bench-"))
        folder.chmod(0o711)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        cluster = PostgresCluster(folder / "postgres", settings=SETTINGS)
        cluster.start()
        stack.callback(cluster.stop)
        node = NodeConfig.create_demo(
            folder / "node", web_port=free_port(), switch_port=free_port(), postgres=str(cluster.folder)
        )
        cluster.create_database(node.file.database.name)
        command = [sys.executable, "-m", "django", "migrate", "--no-input", "--skip-checks", "--verbosity", "0"]
        environment = {**os.environ, **node_environment(node, "owner")}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        yield node


@contextmanager
def seeded(people: int, node: NodeConfig | None = None) -> Iterator[Any]:
    """connect(role, scope) → a connection into the seeded database."""
    with ExitStack() as stack:
        node = node or stack.enter_context(_own_node())
        cluster, name = node.cluster, node.file.database.name
        seed = _SEED.format(provinces=PROVINCES, cities=CITIES, outlets=OUTLETS, people=people)
        with cluster.administrator(name) as administrator:
            administrator.execute(seed)
            administrator.execute("VACUUM ANALYZE")

        def connect(role: str, scope: str) -> psycopg.Connection[Any]:
            made = psycopg.connect(
                cluster.dsn(name, f"sheka_{role}"), autocommit=True, options=f"-c sheka.scope={scope}"
            )
            stack.callback(made.close)
            return made

        yield connect


def _milliseconds(connection: psycopg.Connection[Any], statement: str) -> float:
    began = time.perf_counter()
    connection.execute(statement).fetchall()
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    for figure in run():
        print(figure)
