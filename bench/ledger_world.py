"""The world of the ledger's benches: a durable PostgreSQL, a fund, personal accounts with money, and pgbench."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.switch_world import CITY, IN_SCOPE, SETTINGS, migrate
from sheka.equipment.server.node import NodeConfig
from sheka.equipment.server.ports import free_port
from sheka.equipment.server.postgres import PostgresCluster

BALANCE = 1_000_000
_SEED = """
INSERT INTO organisations_organisation (code, name, name_en, kind, region, path, valid_from)
    VALUES ('000000', '部', 'Ministry', 'ministry', '000000', 'o000000', '2026-01-01'),
           ('460000', '海南省', 'Hainan', 'province', '460000', 'o000000.o460000', '2026-01-01'),
           (%(city)s, '海口市', 'Haikou', 'city', %(city)s, ('o000000.o460000.o' || %(city)s)::ltree, '2026-01-01');
INSERT INTO cards_person (organisation_id, social_security_number, name, sex, birth, ethnic_group, birthplace, phone,
        address, registered_at)
    SELECT %(city)s, 'B' || lpad(n::text, 17, '0'), 'bench', 1, '1990-01-01', '01', '', '', '', now()
    FROM generate_series(1, %(accounts)s) n;
INSERT INTO accounts_account (number, kind, organisation_id, person_id, scheme, party, state, balance, never_negative,
        opened_at)
    SELECT '310' || id, 'personal', %(city)s, id, '310', '', 'open', 0, true, now() FROM cards_person ORDER BY id;
INSERT INTO accounts_account (number, kind, organisation_id, scheme, party, state, never_negative, opened_at)
    VALUES ('F' || %(city)s, 'fund', %(city)s, '', '310', 'open', false, now());
"""
_FILL = """
SELECT count(*) FROM accounts_post_batch(
    (SELECT array_agg(md5(id::text)::uuid ORDER BY id) FROM accounts_account WHERE kind = 'personal'),
    array_fill(3::smallint, ARRAY[%(accounts)s]),
    array_fill((SELECT id FROM accounts_account WHERE kind = 'fund'), ARRAY[%(accounts)s]),
    (SELECT array_agg(id ORDER BY id) FROM accounts_account WHERE kind = 'personal'),
    array_fill(%(balance)s::bigint, ARRAY[%(accounts)s]), array_fill(''::text, ARRAY[%(accounts)s]), %(city)s)
"""
#: One transfer a call, each its own commit.
_PGBENCH = """
\\set a random(1, :accounts)
SELECT refused FROM accounts_post_batch(ARRAY[gen_random_uuid()], ARRAY[13::smallint], ARRAY[:fund::bigint],
    ARRAY[:a::bigint], ARRAY[1::bigint], ARRAY['x'], '460100');
"""


@dataclass
class LedgerWorld:
    """A node's database and nothing else. Personal accounts have the keys 1 to `accounts`, the fund the next one."""

    node: NodeConfig
    cluster: PostgresCluster
    folder: Path
    accounts: int

    @property
    def fund(self) -> int:
        return self.accounts + 1

    def connect(self, role: str = "app") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.node.dsn(role), autocommit=True, options=IN_SCOPE)

    def pgbench(self, seconds: int, clients: int) -> float:
        """Transfers a second, one to a call and to a commit; the first second, when plans are made, is left out."""
        script = self.folder / "transfer.sql"
        script.write_text(_PGBENCH)
        name = self.node.file.database.name
        parameters = self.cluster.parameters(name, "sheka_app")
        command = [self.cluster.installation.bin / "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2"]
        command += ["-T", str(seconds + 1), "-P", "1", "-D", f"accounts={self.accounts}", "-D", f"fund={self.fund}"]
        command += ["-f", script, "-h", parameters["host"], "-p", parameters["port"], "-U", "sheka_app", name]
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": parameters["password"], "PGOPTIONS": IN_SCOPE}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        rates = [float(rate) for rate in re.findall(r"progress: [0-9.]+ s, ([0-9.]+) tps", done.stderr)]
        if done.returncode or len(rates) < 2:
            raise RuntimeError(done.stdout + done.stderr)
        return statistics.mean(rates[1:])

    def entries_sum_to(self) -> int:
        with self.connect() as connection:
            row = connection.execute("SELECT coalesce(sum(amount), 0) FROM accounts_entry").fetchone()
        return int(row[0])  # type: ignore[index, call-overload]


@contextmanager
def ledger_world(accounts: int, *, fill: bool = True) -> Iterator[LedgerWorld]:
    """Make it in a temporary folder, and leave nothing. Without `fill` every account is at zero."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="sheka-bench-"))
        folder.chmod(0o711)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        cluster = PostgresCluster(folder / "postgres", settings=SETTINGS)
        cluster.start()
        stack.callback(cluster.stop)
        node = NodeConfig.create_demo(
            folder / "node",
            web_port=free_port(),
            switch_port=free_port(),
            postgres=str(cluster.folder),
            document_keys="file",
        )
        cluster.create_database(node.file.database.name)
        migrate(node)
        world = LedgerWorld(node, cluster, folder, accounts)
        values = {"city": CITY, "accounts": accounts, "balance": BALANCE}
        options = {"cursor_factory": psycopg.ClientCursor, "options": IN_SCOPE}
        with psycopg.connect(node.dsn("owner"), **options) as owner:  # type: ignore[arg-type]
            for statement in _SEED.split(";\n"):
                if statement.strip():
                    owner.execute(statement, values)  # type: ignore[arg-type]
        with psycopg.connect(node.dsn("app"), **options) as application:  # type: ignore[arg-type]
            if fill:
                application.execute(_FILL, values)
        with world.connect("owner") as owner:
            owner.execute("VACUUM ANALYZE")
        yield world
