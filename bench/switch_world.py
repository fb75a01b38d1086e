"""The world of the switch bench: a durable PostgreSQL, an encryption machine, a switch, 100,000 cards, and pgbench
beside it.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.server.files import make_socket_folder
from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.equipment.server.ports import free_port
from sheka.equipment.server.postgres import PostgresCluster
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.iso8583 import encode
from sheka.foundation.iso8583.framing import frame
from sheka.foundation.numbers import card_number

CITY = "460100"
INSTITUTION = "H46010000001"
CARDS = 100_000
TERMINALS = 4_000
BALANCE = 100_000_000
ZONE = ZoneInfo("Asia/Shanghai")
IN_SCOPE = "-c sheka.scope=o000000"
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "30min"}

_SEED = """
INSERT INTO organisations_organisation (code, name, name_en, kind, region, path, valid_from)
    VALUES (%(city)s, '海口市', 'Haikou', 'city', %(city)s, ('o000000.o460000.o' || %(city)s)::ltree, '2026-01-01');
INSERT INTO cards_person (organisation_id, social_security_number, name, sex, birth, ethnic_group, birthplace, phone,
        address, registered_at)
    SELECT %(city)s, 'B' || lpad(n::text, 17, '0'), 'bench', 1, '1990-01-01', '01', '', '', '', now()
    FROM generate_series(1, %(cards)s) n;
INSERT INTO cards_issuingright (organisation_id, number, quantity, layout_digest, valid_from, valid_to, taken_at)
    VALUES (%(city)s, 'bench', %(cards)s, repeat('ab', 32), '2026-01-01', '2036-01-01', now());
INSERT INTO cards_productionbatch (organisation_id, right_id, outlet_id, algorithm, specification, quantity, reason,
        by, at)
    SELECT %(city)s, id, %(city)s, 3, '3.00', %(cards)s, 'order', 'bench', now() FROM cards_issuingright;
INSERT INTO accounts_account (number, kind, organisation_id, scheme, party, state, never_negative, opened_at)
    VALUES ('I' || %(city)s, 'institution', %(city)s, '', %(institution)s, 'open', false, now()),
           ('F' || %(city)s, 'fund', %(city)s, '', '310', 'open', false, now());
INSERT INTO accounts_account (number, kind, organisation_id, person_id, scheme, party, state, balance, never_negative,
        opened_at)
    SELECT '310' || id, 'personal', %(city)s, id, '310', '', 'open', 0, true, now() FROM cards_person;
SELECT count(*) FROM accounts_post_batch(
    (SELECT array_agg(md5(id::text)::uuid ORDER BY id) FROM accounts_account WHERE kind = 'personal'),
    array_fill(3::smallint, ARRAY[%(cards)s]),
    array_fill((SELECT id FROM accounts_account WHERE kind = 'fund'), ARRAY[%(cards)s]),
    (SELECT array_agg(id ORDER BY id) FROM accounts_account WHERE kind = 'personal'),
    array_fill(%(balance)s::bigint, ARRAY[%(cards)s]), array_fill(''::text, ARRAY[%(cards)s]), %(city)s);
INSERT INTO transactions_institution (code, name, organisation_id, account_id, mac_key, mac_check_value, state,
        registered_at)
    SELECT %(institution)s, 'bench', %(city)s, id, %(key)s, '', 'active', now()
    FROM accounts_account WHERE kind = 'institution';
INSERT INTO transactions_terminal (number, institution_id, state, registered_at)
    SELECT %(city)s || lpad(n::text, 6, '0'), (SELECT id FROM transactions_institution), 'active', now()
    FROM generate_series(1, %(terminals)s) n;
SELECT transactions_open_first_window(%(today)s);
SELECT transactions_ensure_day(%(today)s);
"""
_COLUMNS = (
    "number, identification_code, person_id, organisation_id, outlet_id, batch_id, right_id, state,"
    " version, algorithm, specification, key_version, card_class, factor"
)
#: COPY does not go into a table under row-level security.
_STAGE = f"CREATE TEMP TABLE staged AS SELECT {_COLUMNS} FROM cards_card WITH NO DATA"
_TAKE = f"INSERT INTO cards_card ({_COLUMNS}) SELECT * FROM staged"
#: What pgbench takes its cards from: sheka_switch may not read the real table.
_PGBENCH_CARDS = """
CREATE TABLE bench_card AS SELECT id, number::text FROM cards_card;
ALTER TABLE bench_card ADD PRIMARY KEY (id);
GRANT SELECT ON bench_card TO sheka_switch;
"""
#: One purchase a call, each its own commit. The second half of the terminals is pgbench's; STANs rise as at a terminal.
_PGBENCH = """
\\set n :n + 1
\\set t :terminals / 2 + 1 + (:client_id * 100 + :n % 100) % (:terminals / 2)
\\set s :first + :n / 100
\\set c random(1, :cards)
SELECT * FROM switch_purchase_batch(:today::date, ARRAY[1], ARRAY[:t::integer], ARRAY[:s::integer],
    (SELECT ARRAY[number] FROM bench_card WHERE id = :c), ARRAY['310'], ARRAY[100::bigint], ARRAY[156::smallint],
    ARRAY[156::smallint], ARRAY['000000000001'], ARRAY[93000], 0);
"""


@dataclass
class BenchWorld:
    """Everything that runs. `pids` by name, for the processor time of each part."""

    node: NodeConfig
    cluster: PostgresCluster
    machine: EncryptionMachine
    key: str
    folder: Path
    host: str
    port: int
    pids: dict[str, int]
    cards: list[str]
    terminals: int
    today: datetime
    stan: int = 0
    rounds: int = 0

    def frames(self, count: int) -> list[bytes]:
        """Purchases with right MACs: the next STAN of each terminal of the first half, cards in a fixed mixture."""
        made = []
        while len(made) < count:
            self.stan += 1
            unsigned = [self._unsigned(terminal) for terminal in range(1, self.terminals // 2 + 1)]
            made += [frame(one + mac + bytes(4)) for one, mac in zip(unsigned, self.macs(unsigned), strict=True)]
        made.reverse()
        return made

    def macs(self, unsigned: list[bytes]) -> list[bytes]:
        """The MACs of many messages, 4 bytes each."""
        parts = (unsigned[at : at + 500] for at in range(0, len(unsigned), 500))
        return [mac for part in parts for mac in self.machine.macs(self.key, None, part)]

    def _unsigned(self, terminal: int) -> bytes:
        card = self.cards[(terminal * 7_919 + self.stan * 104_729) % len(self.cards)]
        fields: dict[int, str | bytes] = {
            3: "000000",
            4: "000000000100",
            7: f"{self.today:%m%d%H%M%S}",
            11: f"{self.stan:06d}",
            12: f"{self.today:%H%M%S}",
            13: f"{self.today:%m%d}",
            19: "156",
            37: f"{terminal:06d}{self.stan:06d}",
            41: f"{CITY}{terminal:06d}",
            42: INSTITUTION.ljust(15),
            49: "156",
            60: "310",
            62: card,
            64: bytes(8),
        }
        return encode("0200", fields)[:-8]

    def pgbench(self, seconds: int, clients: int = 16) -> float:
        """Transactions a second of the same function with single-item arrays, one commit each.

        The first second is left out: there every new backend makes its plans and fills its caches.
        """
        self.rounds += 1
        script = self.folder / "purchase.sql"
        script.write_text(_PGBENCH)
        name = self.node.file.database.name
        parameters = self.cluster.parameters(name, "sheka_switch")
        command = [self.cluster.installation.bin / "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2"]
        command += ["-T", str(seconds + 1), "-P", "1", "-D", "n=0", "-D", f"first={self.rounds * 20_000}"]
        command += ["-D", f"today='{self.today:%Y-%m-%d}'", "-D", f"cards={len(self.cards)}"]
        command += ["-D", f"terminals={self.terminals}", "-f", script]
        command += ["-h", parameters["host"], "-p", parameters["port"], "-U", "sheka_switch", name]
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": parameters["password"]}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        rates = [float(rate) for rate in re.findall(r"progress: [0-9.]+ s, ([0-9.]+) tps", done.stderr)]
        if done.returncode or len(rates) < 2:
            raise RuntimeError(done.stdout + done.stderr)
        return statistics.mean(rates[1:])

    def cpu(self) -> dict[str, float]:
        """Processor seconds so far: of the switch, the machine, this process, and all of PostgreSQL."""
        found = {name: cpu_of(pid) for name, pid in self.pids.items()}
        found["client"] = sum(os.times()[:2])
        found["postgres"] = sum(cpu_of(pid) for pid in _children(self.pids["postgres"]))
        return found

    def booked(self) -> tuple[int, int]:
        """Approved purchases of the switch's terminals, and what all entries sum to."""
        with self.connect() as connection:
            rows = connection.execute(
                "SELECT count(*) FROM transactions_transaction WHERE refusal = 0 AND seal > 0"
            ).fetchone()
            total = connection.execute("SELECT sum(amount) FROM accounts_entry").fetchone()
        return int(rows[0]), int(total[0])  # type: ignore[index]

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.node.dsn("owner"), autocommit=True, options=IN_SCOPE)


@contextmanager
def bench_world(cards: int = CARDS, terminals: int = TERMINALS, dump: Path | None = None) -> Iterator[BenchWorld]:
    """Make it all in a temporary folder, and leave nothing. `dump`: of a migrated database, which spares migrating."""
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
        migrate(node, dump)
        name = node.machine(CITY).name
        make_socket_folder(node.sockets)
        handle = start_machine(
            folder / "machine", callers=node.machine_callers(name), address=node.machine_address(name)
        )
        stack.callback(handle.stop)
        machine = handle.client("systems")
        stack.callback(machine.close)
        key = machine.generate("MAC-bench", Algorithm.SM4, Usage.MAC, owner=CITY).ref
        today = datetime.now(ZONE)
        numbers = [card_number(f"A{number:07d}").text for number in range(1, cards + 1)]
        seed(node, numbers, {"key": key, "today": today.date(), "terminals": terminals})
        process, host, port = start_switch(node, folder)
        stack.callback(stop_switch, process)
        pids = {"switch": process.pid, "machine": handle.process.pid, "postgres": _postmaster(cluster)}
        yield BenchWorld(node, cluster, machine, key, folder, host, port, pids, numbers, terminals, today)


def migrate(node: NodeConfig, dump: Path | None = None) -> None:
    """The tables: by the migrations, or from a dump of a database that they have made."""
    if dump is None:
        command = [sys.executable, "-m", "django", "migrate", "--no-input", "--skip-checks", "--verbosity", "0"]
        environment = {**os.environ, **node_environment(node, "owner")}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return
    cluster, name = node.cluster, node.file.database.name
    parameters = cluster.parameters(name, "postgres")
    command = [str(cluster.installation.bin / "pg_restore"), "-d", name, "-h", parameters["host"]]
    command += ["-p", parameters["port"], "-U", "postgres", "--exit-on-error", str(dump)]
    environment = {"PATH": os.environ["PATH"], "PGPASSWORD": parameters["password"]}
    subprocess.run(command, env=environment, check=True, capture_output=True)


def seed(node: NodeConfig, cards: list[str], values: dict[str, object]) -> None:
    values |= {"city": CITY, "institution": INSTITUTION, "balance": BALANCE, "cards": len(cards)}
    with psycopg.connect(node.dsn("owner"), cursor_factory=psycopg.ClientCursor, options=IN_SCOPE) as connection:
        for statement in _SEED.split(";\n"):
            if "accounts_post_batch" in statement:
                connection.commit()
                _as_application(node, statement, values)
            elif statement.strip():
                connection.execute(statement, values)  # type: ignore[arg-type]
        connection.execute(_STAGE)
        with connection.cursor() as cursor, cursor.copy("COPY staged FROM STDIN") as copy:
            for number, card in enumerate(cards, start=1):
                copy.write_row((card, f"{number:032X}", number, CITY, CITY, 1, 1, "active", 1, 3, "3.00", 1, "3", ""))
        connection.execute(_TAKE)
        connection.execute(_PGBENCH_CARDS)
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")


def _as_application(node: NodeConfig, statement: str, values: dict[str, object]) -> None:
    """Money is posted by whom the ledger lets: the owner of the tables may not."""
    with psycopg.connect(node.dsn("app"), cursor_factory=psycopg.ClientCursor, options=IN_SCOPE) as connection:
        connection.execute(statement, values)  # type: ignore[arg-type]


def start_switch(
    node: NodeConfig, folder: Path, module: str = "sheka.systems.transactions.switch", *more: str
) -> tuple[subprocess.Popen[str], str, int]:
    """The switch, or a module that runs it and looks at it, on a free port."""
    environment = {**os.environ, **node_environment(node)}
    with (folder / "switch.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *more, "--port", "0"],
            env=environment,
            cwd=Path(__file__).resolve().parents[1],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith("listening on"):
        raise RuntimeError((folder / "switch.log").read_text())
    host, port = line.split()[-1].split(":")
    return process, host, int(port)


def stop_switch(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(30)
    if process.stdout:
        process.stdout.close()


def _postmaster(cluster: PostgresCluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().splitlines()[0])


def _children(pid: int) -> list[int]:
    """All processes of PostgreSQL: the postmaster and its children."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def cpu_of(pid: int) -> float:
    """Processor seconds of a process and its ended children."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
