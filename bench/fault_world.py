"""A switch with everything that it stands on, each part of which can be killed and started again (S4, S10).

`FaultWorld` has a PostgreSQL of its own that fsyncs, an encryption machine, and switches on fixed ports. With
`small_disk` the cluster lies on a memory disk of so many bytes that can be filled, where mounting is permitted. Where
it is not, and beside it, the kernel refuses PostgreSQL's writes by a limit of the size of its files (`limit_files`):
that needs no right at all.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg

from bench import switch_world
from bench.switch_world import CITY, IN_SCOPE, INSTITUTION, ZONE
from bench.verb_mix import Draft, Message, Terminals, scenes
from sheka.equipment.encryption_machine.launch import MachineHandle, start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.server.files import make_socket_folder
from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.equipment.server.ports import free_port
from sheka.equipment.server.postgres import PostgresCluster
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import card_number
from sheka.foundation.refusals import Code, Refused

CARDS = 2_000
TERMINALS = 64
SETTINGS = {"shared_buffers": "64MB", "max_wal_size": "128MB"}
MIB = 1024 * 1024
PROOFS = """
import django, json
django.setup()
from sheka.office.scope import whole_node
from sheka.systems.accounts.queries import verify_ledger
from sheka.systems.transactions.queries import verify_seals, verify_transactions
with whole_node("the ledger of the fault run is proved"):
    proofs = (verify_ledger, verify_transactions, verify_seals)
    print(json.dumps([str(fault) for verify in proofs for fault in verify()]))
"""


@dataclass
class FaultWorld:
    """`dump`: a dump of a migrated database, which spares the migrations; `switches` by number, the first is 0."""

    folder: Path
    dump: Path | None = None
    small_disk: int = 0
    switches: dict[int, subprocess.Popen[str]] = field(default_factory=dict)
    ports: dict[int, int] = field(default_factory=dict)
    stans: int = 0

    @classmethod
    def make(cls, *, dump: Path | None = None, small_disk: int = 0) -> FaultWorld:
        """Everything running. Raises Refused(FAULTS_NO_MOUNT)."""
        folder = Path(tempfile.mkdtemp(prefix="sheka-faults-"))
        folder.chmod(0o711)
        world = cls(folder, dump, small_disk)
        try:
            world._start()
        except BaseException:
            world.end()
            raise
        return world

    def __enter__(self) -> FaultWorld:
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def _start(self) -> None:
        self._stack = ExitStack()
        place = self.folder / "postgres"
        if self.small_disk:
            self._mount(place)
        self.cluster = PostgresCluster(place, settings=SETTINGS, needed_bytes=32 * MIB)
        self.cluster.start()
        self._stack.callback(self.cluster.stop)
        self.node = NodeConfig.create_demo(
            self.folder / "node",
            web_port=free_port(),
            switch_port=free_port(),
            postgres=str(place),
            document_keys="file",
        )
        name = self.node.file.database.name
        self.cluster.create_database(name)
        switch_world.migrate(self.node, self.dump)
        make_socket_folder(self.node.sockets)
        self.start_machine()
        self._stack.callback(lambda: self.handle.stop())
        with self.handle.client("systems") as machine:
            self.key = machine.generate("MAC-bench", Algorithm.SM4, Usage.MAC, owner=CITY).ref
        self.today = datetime.now(ZONE)
        self.cards = [card_number(f"A{number:07d}").text for number in range(1, CARDS + 1)]
        values = {"key": self.key, "today": self.today.date(), "terminals": TERMINALS}
        switch_world.seed(self.node, self.cards, values)
        self.start_switch()

    def end(self) -> None:
        """Stop what runs and leave nothing."""
        for number in list(self.switches):
            self.kill_switch(number)
        if hasattr(self, "_stack"):
            self._stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _mount(self, place: Path) -> None:
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={self.small_disk},mode=0711", "sheka-faults", str(place)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise Refused(Code.FAULTS_NO_MOUNT, reason="mount") from None
        if done.returncode:
            raise Refused(Code.FAULTS_NO_MOUNT, reason=done.stderr.strip() or "mount")
        self._stack.callback(subprocess.run, ["umount", "-l", str(place)], check=False, capture_output=True)

    # ---- breaking and mending ---------------------------------------------------------------------------------------

    def start_switch(self, number: int = 0, *, clock: Path | None = None) -> None:
        """Start a switch; one that ran before gets its old port."""
        port = self.ports.setdefault(number, free_port())
        module = ["-m", "sheka.systems.transactions.switch"]
        if clock is not None:
            module = ["-m", "bench.clocked_switch", str(clock)]
        with (self.folder / f"switch-{number}.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, *module, "--port", str(port)],
                env={**os.environ, **node_environment(self.node)},
                cwd=Path(__file__).resolve().parents[1],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("listening on"):
            process.kill()
            process.wait()
            raise RuntimeError((self.folder / f"switch-{number}.log").read_text()[-2000:])
        self.switches[number] = process

    def kill_switch(self, number: int = 0) -> None:
        """kill -9, as a crash does."""
        process = self.switches.pop(number)
        process.kill()
        process.communicate()

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster and every backend at one moment."""
        for pid in self.cluster.server_processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def start_postgres(self) -> None:
        """As a supervisor does: until it answers; its recovery is part of the time."""
        self.cluster.start()

    def kill_machine(self) -> None:
        self.handle.process.kill()
        self.handle.stop()

    def start_machine(self) -> None:
        name = self.node.machine(CITY).name
        self.handle: MachineHandle = start_machine(
            self.folder / "machine", callers=self.node.machine_callers(name), address=self.node.machine_address(name)
        )

    def fill_disk(self) -> Path:
        """Write until nothing more goes onto the small disk."""
        ballast = self.cluster.folder / "ballast"
        with ballast.open("wb", buffering=0) as file:
            for size in (MIB, 4096):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue
        return ballast

    def limit_files(self, size: int = 8192) -> None:
        """From now on the kernel refuses PostgreSQL every byte beyond `size` of a file, in the log of its
        transactions too; the server that is started next has no such limit.

        By root where it may, else by whom the server runs as: that needs no permission.
        """
        user = self.cluster.user
        for pid in self.cluster.server_processes():
            try:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            except ProcessLookupError:
                continue
            except PermissionError:
                soft = "unlimited" if size == resource.RLIM_INFINITY else size
                subprocess.run(
                    ["prlimit", f"--fsize={soft}:", "--pid", str(pid)],
                    user=None if user is None else user.uid,
                    group=None if user is None else user.gid,
                    extra_groups=None if user is None else [],
                    check=False,
                )

    def lift_limit(self) -> None:
        """Whoever still runs may write again: as room that was made."""
        self.limit_files(resource.RLIM_INFINITY)

    def address(self, number: int = 0) -> tuple[str, int]:
        return "127.0.0.1", self.ports[number]

    def listening(self, number: int = 0) -> bool:
        with socket.socket() as line:
            return line.connect_ex(self.address(number)) == 0

    # ---- messages ---------------------------------------------------------------------------------------------------

    def messages(self, tills: int, each: int) -> list[list[Message]]:
        """For each till its messages in order: scenes of every verb, about cards that it shares with other tills.

        Every second till takes back what it got no answer to; the others ask again.
        """
        first, self.stans = self.stans + 1, self.stans + each
        with self.handle.client("systems") as machine:

            def macs(unsigned: list[bytes]) -> list[bytes]:
                parts = (unsigned[at : at + 500] for at in range(0, len(unsigned), 500))
                return [mac for part in parts for mac in machine.macs(self.key, None, part)]

            terminals = Terminals(CITY, INSTITUTION, self.today, macs)
            rows = [self._till(terminals, terminal, first, each) for terminal in range(1, tills + 1)]
            made = iter(terminals.signed([draft for row in rows for draft in row]))
        return [[next(made) for _ in row] for row in rows]

    def _till(self, terminals: Terminals, terminal: int, first: int, each: int) -> list[Draft]:
        stan, drafts = first, []
        for steps in scenes(random.Random(f"{terminal}/{first}")):
            if stan + len(steps) > first + each:
                return drafts
            card = self.cards[(terminal * 797 + stan * 13) % len(self.cards)]
            drafts += terminals.scene(terminal, stan, card, steps, undo=terminal % 2 == 0)
            stan += len(steps)
        return drafts

    # ---- proofs -----------------------------------------------------------------------------------------------------

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.node.dsn("owner"), autocommit=True, options=IN_SCOPE)

    def rows(self, since_stan: int) -> dict[tuple[int, int, int], list[tuple[int, int, int | None]]]:
        """Terminal, STAN, kind → its rows: number, refusal, balance after."""
        found: dict[tuple[int, int, int], list[tuple[int, int, int | None]]] = {}
        with self.connect() as connection:
            for terminal, stan, kind, *row in connection.execute(
                "SELECT substr(r.number, 7)::integer, t.stan, t.kind, t.id, t.refusal, t.balance_after"
                " FROM transactions_transaction t JOIN transactions_terminal r ON r.id = t.terminal_id"
                " WHERE t.stan >= %s",
                [since_stan],
            ):
                found.setdefault((terminal, stan, kind), []).append(tuple(row))  # type: ignore[arg-type]
        return found

    def accounts(self) -> dict[str, tuple[int, int]]:
        """Card → balance of its account and what is held of it, in fen."""
        with self.connect() as connection:
            rows = connection.execute(
                "SELECT c.number::text, a.balance, a.held FROM cards_card c"
                " JOIN accounts_account a ON a.person_id = c.person_id AND a.kind = 'personal'"
            ).fetchall()
        return {str(card): (int(str(balance)), int(str(held))) for card, balance, held in rows}

    def faults(self) -> list[str]:
        """What `verify_ledger`, `verify_transactions` and `verify_seals` say, in a process of its own."""
        environment = {**os.environ, **node_environment(self.node)}
        done = subprocess.run(
            [sys.executable, "-c", PROOFS], env=environment, capture_output=True, text=True, check=True
        )
        return list(json.loads(done.stdout.splitlines()[-1]))

    def logs(self, lines: int = 40) -> str:
        """The ends of the logs of the switches and of PostgreSQL, and who waits for whom in the database."""
        told = []
        for path in (*self.folder.glob("switch-*.log"), self.cluster.log):
            told += [f"--- {path.name}", *path.read_text("utf-8", "replace").splitlines()[-lines:]]
        try:
            with self.connect() as connection:
                rows = connection.execute(
                    "SELECT pid, application_name, state, wait_event, now() - xact_start, pg_blocking_pids(pid), query"
                    " FROM pg_stat_activity WHERE datname IS NOT NULL"
                ).fetchall()
            told += [str(row)[:300] for row in rows]
        except psycopg.Error as error:
            told.append(repr(error))
        return "\n".join(told)

    def wait_for_postgres(self, seconds: float = 60.0) -> None:
        """Until the server answers, started again when it ended by itself."""
        deadline = time.monotonic() + seconds
        while not self.cluster.answers():
            if not self.cluster.server_processes():
                self.start_postgres()
            if time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not come back")
            time.sleep(0.1)
