"""A switch with everything that it stands on, each part of which can be killed and started again (S4, S10).

`FaultWorld` has a PostgreSQL of its own that fsyncs, an encryption machine, and switches on fixed ports. With
`small_disk` the cluster lies on a memory disk of so many bytes that can be filled; that takes the right to mount.
"""

from __future__ import annotations

import json
import os
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
from bench.fault_load import Message
from bench.switch_world import CITY, IN_SCOPE, INSTITUTION, ZONE
from sheka.equipment.encryption_machine.launch import MachineHandle, start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.server.files import make_socket_folder
from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.equipment.server.ports import free_port
from sheka.equipment.server.postgres import PostgresCluster
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.iso8583 import encode
from sheka.foundation.numbers import card_number
from sheka.foundation.refusals import Code, Refused

CARDS = 2_000
TERMINALS = 64
AMOUNT = 100
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

    def address(self, number: int = 0) -> tuple[str, int]:
        return "127.0.0.1", self.ports[number]

    def listening(self, number: int = 0) -> bool:
        with socket.socket() as line:
            return line.connect_ex(self.address(number)) == 0

    # ---- messages ---------------------------------------------------------------------------------------------------

    def messages(self, tills: int, each: int) -> list[list[Message]]:
        """For each till its messages in order: purchases, every fifth taken back, and twice every eleventh."""
        first, self.stans = self.stans + 1, self.stans + each
        drafts: list[list[tuple[Message, bytes]]] = []
        for terminal in range(1, tills + 1):
            row = []
            for stan in range(first, first + each):
                card = self.cards[(terminal * 797 + stan * 13) % len(self.cards)]
                row.append(self._draft(terminal, stan, 1, card))
                if stan % 5 == 0:
                    row.append(self._draft(terminal, stan, 2, card))
            drafts.append(row)
        flat = [unsigned for row in drafts for _message, unsigned in row]
        macs: list[bytes] = []
        with self.handle.client("systems") as machine:
            for at in range(0, len(flat), 500):
                macs += machine.macs(self.key, None, flat[at : at + 500])
        signed = iter(zip(flat, macs, strict=True))
        made = []
        for row in drafts:
            made.append([])
            for message, _unsigned in row:
                unsigned, mac = next(signed)
                encoded = unsigned + mac + bytes(4)
                made[-1].append(
                    Message(message.terminal, message.stan, message.kind, message.card, message.amount, encoded)
                )
        return made

    def _draft(self, terminal: int, stan: int, kind: int, card: str) -> tuple[Message, bytes]:
        at = self.today
        fields: dict[int, str | bytes] = {
            3: "000000",
            4: f"{AMOUNT:012d}",
            7: f"{at:%m%d%H%M%S}",
            11: f"{stan:06d}",
            12: f"{at:%H%M%S}",
            13: f"{at:%m%d}",
            19: "156",
            37: f"{terminal:06d}{stan:06d}",
            41: f"{CITY}{terminal:06d}",
            42: INSTITUTION.ljust(15),
            49: "156",
            60: "310",
            62: card,
        }
        if kind == 2:
            fields[90] = f"0200{stan:06d}{at:%m%d%H%M%S}{0:011d}{0:011d}"
        mac = 128 if any(number > 64 for number in fields) else 64
        unsigned = encode("0200" if kind == 1 else "0420", {**fields, mac: bytes(8)})[:-8]
        return Message(terminal, stan, kind, card, AMOUNT, b""), unsigned

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

    def money(self) -> int:
        """What all personal accounts hold."""
        with self.connect() as connection:
            row = connection.execute("SELECT sum(balance) FROM accounts_account WHERE kind = 'personal'").fetchone()
        return int(row[0])  # type: ignore[index,call-overload]

    def faults(self) -> list[str]:
        """What `verify_ledger`, `verify_transactions` and `verify_seals` say, in a process of its own."""
        environment = {**os.environ, **node_environment(self.node)}
        done = subprocess.run(
            [sys.executable, "-c", PROOFS], env=environment, capture_output=True, text=True, check=True
        )
        return list(json.loads(done.stdout.splitlines()[-1]))

    def wait_for_postgres(self, seconds: float = 60.0) -> None:
        """Until the server answers, started again when it ended by itself."""
        deadline = time.monotonic() + seconds
        while not self.cluster.answers():
            if not self.cluster.server_processes():
                self.start_postgres()
            if time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not come back")
            time.sleep(0.1)
