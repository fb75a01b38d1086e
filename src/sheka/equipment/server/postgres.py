"""A PostgreSQL cluster of our own (H1): made, started, stopped and asked for its addresses.

Durability first: data checksums on, passwords by SCRAM (RFC 5802/7677) also on the Unix socket, no TCP unless asked
for, and `postmaster.pid` is never removed by us: after a crash the start waits until the old backends are gone.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psycopg

from sheka.equipment.server import processes
from sheka.equipment.server.child import ProcessSpec
from sheka.equipment.server.files import (
    disk_full,
    make_folder,
    make_socket_folder,
    open_log,
    require_room,
    socket_folder,
    unwritable,
    write_private,
)
from sheka.equipment.server.postgres_databases import Databases
from sheka.equipment.server.postgres_place import (
    STATE_ROOT,
    Installation,
    find_installation,
    reachable_folder,
    reachable_installation,
    relocated_folder,
    unprivileged_user,
)
from sheka.equipment.server.postgres_roles import APP, ROLES
from sheka.equipment.server.system_users import identity_of
from sheka.foundation.refusals import Code, Refused

PASSWORDS = ("postgres", *(role.name for role in ROLES if role.enters))
NEEDED_BYTES = 300 * 1024 * 1024
START_SECONDS = 300.0
OLD_BACKENDS_SECONDS = 60.0
SHUTDOWN_SECONDS = 3.0
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "128MB",
    "max_connections": "60",
    "max_locks_per_transaction": "256",  # a reader of every partition locks each of them
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
}


class PostgresCluster(Databases):
    """One cluster in `folder`: data, passwords (0600), log. Nothing is made before `prepare` or `start`.

    Parameters: `listen_port` opens TCP on 127.0.0.1 as well; `settings` are laid over the tuned defaults; `major`
    asks for a version (default: the existing cluster's, else the newest found); `needed_bytes` the room wanted on
    disk for a new cluster.
    """

    def __init__(
        self,
        folder: Path,
        *,
        listen_port: int | None = None,
        settings: Mapping[str, str] | None = None,
        major: int | None = None,
        needed_bytes: int = NEEDED_BYTES,
    ) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.listen_port = listen_port
        self.settings = {**SETTINGS, **(settings or {})}
        self.notices: list[tuple[str, str]] = []
        self._major = major
        self._needed_bytes = needed_bytes
        self._process: subprocess.Popen[bytes] | None = None

    # ---- where things are -------------------------------------------------------------------------------------------

    @cached_property
    def place(self) -> Path:
        """The folder that holds `data`: the cluster's folder, or its stand-in below /var/lib/sheka when our user
        cannot reach it.
        """
        for known in (self.folder, relocated_folder(self.folder)):
            if (known / "data").exists():
                return known
        return reachable_folder(make_folder(self.folder), self.user)

    @cached_property
    def user(self) -> processes.Identity | None:
        """Whom the server runs as when we are root: the owner of existing data, else the unprivileged user. None when
        we are not.
        """
        for known in (self.folder, relocated_folder(self.folder)):
            if os.geteuid() == 0 and (known / "data").exists():
                found = (known / "data").stat()
                return identity_of(found.st_uid, found.st_gid)
        return unprivileged_user()

    @cached_property
    def installation(self) -> Installation:
        """The programs that fit this cluster, where its user can execute them.

        Raises Refused(POSTGRES_BINARIES_MISSING), or POSTGRES_VERSION when the data is of a version that is not here.
        """
        version = self.data / "PG_VERSION"
        try:
            existing = int(version.read_text().strip()) if version.exists() else None
        except (OSError, ValueError):
            existing = None
        if existing is not None and self._major not in {None, existing}:
            raise Refused(Code.POSTGRES_VERSION, cluster=existing, found=self._major)
        return reachable_installation(find_installation(existing or self._major), self.user)

    @property
    def data(self) -> Path:
        """The data folder (PGDATA)."""
        return self.place / "data"

    @property
    def sockets(self) -> Path:
        """The private folder of the Unix socket."""
        return socket_folder(self.place)

    @property
    def port(self) -> int:
        """The number in the socket's name, and the TCP port when one is open."""
        return self.listen_port or 5432

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    @cached_property
    def passwords(self) -> dict[str, str]:
        """The password of each role, kept in a 0600 file. Those that are missing are made: all at first use, and those
        of roles that an earlier version did not know.
        """
        path = self.folder / "passwords.json"
        while True:
            known = _read_passwords(path)
            missing = [role for role in PASSWORDS if role not in (known or {})]
            if known is not None and not missing:
                return known  # nothing is written, so a full disk keeps nobody from reading
            make_folder(self.folder)
            made = (known or {}) | {role: secrets.token_urlsafe(24) for role in missing}
            write_private(path, json.dumps(made, indent=1), replace=known is not None)

    def parameters(self, database: str, user: str = APP) -> dict[str, str]:
        """Connection parameters with libpq's names: host (the socket folder), port, dbname, user, password."""
        return {
            "host": str(self.sockets),
            "port": str(self.port),
            "dbname": database,
            "user": user,
            "password": self.passwords[user],
        }

    def dsn(self, database: str, user: str = APP) -> str:
        """The same as one address, for psycopg and asyncpg alike."""
        word, host = quote(self.passwords[user], safe=""), quote(str(self.sockets), safe="")
        return f"postgresql://{user}:{word}@/{database}?host={host}&port={self.port}"

    # ---- making -----------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make what is missing: folder, user, passwords, data, socket folder. Safe to call again.

        Raises Refused(SERVER_FOLDER_UNWRITABLE, SERVER_DISK_FULL, POSTGRES_BINARIES_MISSING, POSTGRES_VERSION,
        POSTGRES_INIT_FAILED).
        """
        make_folder(self.folder)
        installation, user, place = self.installation, self.user, self.place
        if STATE_ROOT in place.parents or STATE_ROOT in installation.bin.parents:
            self._say_where(user)
        make_folder(place)
        owner = None if user is None else (user.uid, user.gid)
        if not (self.data / "PG_VERSION").exists():
            require_room(place, self._needed_bytes)
            self._initdb(installation, owner)
        make_socket_folder(self.sockets, owner=owner)

    def _say_where(self, user: processes.Identity | None) -> None:
        name = "-" if user is None else user.name
        self.notices = [
            (
                f"用户 {name} 无法进入 {self.folder}，数据库的程序和数据放在 {STATE_ROOT}。",
                f"The user {name} cannot enter {self.folder}: the database's programs and data are in {STATE_ROOT}.",
            )
        ]

    def _initdb(self, installation: Installation, owner: tuple[int, int] | None) -> None:
        """Make the data folder under another name and rename it, so that an interrupted making leaves nothing half
        done.
        """
        draft, words = self.place / "data.new", self.place / "pwfile.new"
        try:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o700)
            write_private(words, self.passwords["postgres"])
            if owner is not None:
                os.chown(draft, *owner)
                os.chown(words, *owner)
            done = self._initdb_command(installation, draft, words)
            if done.returncode != 0:
                said = (done.stderr or done.stdout).strip().splitlines() or ["-"]
                if os.strerror(errno.ENOSPC) in done.stderr:
                    raise disk_full(self.place, self._needed_bytes)
                raise Refused(Code.POSTGRES_INIT_FAILED, folder=self.place, reason=said[-1])
            draft.rename(self.data)
        except OSError as error:
            raise unwritable(self.place, error) from None
        finally:
            words.unlink(missing_ok=True)
            shutil.rmtree(draft, ignore_errors=True)

    def _initdb_command(self, installation: Installation, draft: Path, words: Path) -> subprocess.CompletedProcess[str]:
        if installation.major >= 17:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
        else:
            locale = ["--locale-provider=libc", "--locale=C.UTF-8"]
        argv = [str(installation.bin / "initdb"), "-D", str(draft), "-U", "postgres", "-E", "UTF8", *locale]
        argv += ["--data-checksums", "--auth-local=scram-sha-256", "--auth-host=scram-sha-256", f"--pwfile={words}"]
        return subprocess.run(
            argv,
            env=self._environment(),
            user=None if self.user is None else self.user.uid,
            group=None if self.user is None else self.user.gid,
            extra_groups=None if self.user is None else [],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    # ---- running ----------------------------------------------------------------------------------------------------

    def argv(self) -> tuple[str, ...]:
        """The command that runs the server in the foreground."""
        tcp = "127.0.0.1" if self.listen_port is not None else ""
        given = {
            **self.settings,
            "listen_addresses": tcp,
            "unix_socket_directories": str(self.sockets),
            "port": str(self.port),
        }
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        return (str(self.installation.bin / "postgres"), "-D", str(self.data), *options)

    def spec(self, name: str = "postgres") -> ProcessSpec:
        """The cluster as a process of a supervisor. `prepare` first; `create_roles` once it is ready."""
        return ProcessSpec(
            name=name,
            argv=self.argv(),
            env=self._environment(),
            whole_env=True,
            ready=self.answers,
            ready_seconds=START_SECONDS,
            may_start=lambda: not self.server_processes(),
            stop_signal=signal.SIGINT,
            stop_seconds=60.0,
            identity=self.user,
            ports=() if self.listen_port is None else (("127.0.0.1", self.listen_port),),
        )

    def start(self) -> None:
        """Make what is missing, start the server as our child and wait until it answers (crash recovery may take
        minutes).

        It ends when the calling thread ends. Roles are made on the first start. Raises
        Refused(POSTGRES_RUNS_ELSEWHERE) when another program runs this cluster, POSTGRES_START_FAILED with the log's
        last line, and what `prepare` raises.
        """
        self.stop()
        self.prepare()
        patience = time.monotonic() + OLD_BACKENDS_SECONDS
        while not self._started():
            if time.monotonic() > patience or not self._predecessor_lingers():
                raise Refused(Code.POSTGRES_START_FAILED, folder=self.folder, log=self.log, last=self._last_line())
            time.sleep(0.2)
        self.create_roles()

    def _started(self) -> bool:
        """One attempt: True when the server answers, False when it ended or took too long."""
        self.await_old_backends()
        with open_log(self.log) as log:
            self._process = processes.spawn(
                self.argv(), env=self._environment(), log=log, identity=self.user, death_signal=signal.SIGINT
            )
        answered = False
        deadline = time.monotonic() + START_SECONDS
        try:
            while self._process.poll() is None and time.monotonic() < deadline and not (answered := self.answers()):
                time.sleep(0.02)
        finally:
            if not answered:
                self.stop()
        return answered

    def _predecessor_lingers(self) -> bool:
        """Whether the last attempt met the lock or the shared memory of a server that was killed a moment ago."""
        last = self._last_line()
        return "postmaster.pid" in last or "shared memory block" in last

    def stop(self) -> None:
        """Stop the server that `start` started: fast shutdown, then harder. Returns when no process of it is left."""
        process, self._process = self._process, None
        if process is None:
            return
        for number, seconds in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            processes.send([process.pid] if process.poll() is None else [], number)
            try:
                process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        processes.end_all(self.server_processes, grace=10.0)

    def answers(self) -> bool:
        """Whether the server accepts connections now."""
        try:
            status = (self.data / "postmaster.pid").read_text("utf-8").splitlines()[7].strip()
        except (OSError, IndexError):
            return False
        if status != "ready":
            return False
        try:
            psycopg.connect(**self.parameters("postgres", "postgres"), connect_timeout=2).close()  # type: ignore[arg-type]
        except psycopg.OperationalError as error:
            if error.sqlstate == "28P01" or "password authentication failed" in str(error):
                raise Refused(Code.POSTGRES_PASSWORDS, folder=self.folder) from None
            return False
        return True

    def server_processes(self) -> list[int]:
        """The processes of a server that runs on this data now, whoever started it."""
        return processes.working_in(self.data, program="postgres")

    def remove(self) -> None:
        """Delete the cluster with all its data. Stop it first.

        Raises Refused(POSTGRES_RUNS_ELSEWHERE) while a server still runs in it.
        """
        if self.data.exists() and self.server_processes():
            raise Refused(Code.POSTGRES_RUNS_ELSEWHERE, folder=self.folder)
        for path in {self.sockets, self.place, self.folder}:
            shutil.rmtree(path, ignore_errors=True)

    def await_old_backends(self) -> None:
        """Wait for what is left of an earlier server: its backends after a kill -9, itself while it shuts down.

        Raises Refused(POSTGRES_RUNS_ELSEWHERE) when a server goes on running.
        """
        begun = time.monotonic()
        while self.server_processes():
            patience = SHUTDOWN_SECONDS if self._postmaster_alive() else OLD_BACKENDS_SECONDS
            if time.monotonic() - begun > patience:
                raise Refused(Code.POSTGRES_RUNS_ELSEWHERE, folder=self.folder)
            time.sleep(0.05)

    def _postmaster_alive(self) -> bool:
        try:
            pid = int((self.data / "postmaster.pid").read_text("utf-8").splitlines()[0])
        except (OSError, ValueError, IndexError):
            return False
        return pid in self.server_processes()

    def _last_line(self) -> str:
        """The last line of the log that says what went wrong."""
        lines = [line.strip() for line in self.log.read_text("utf-8", "replace").splitlines() if line.strip()]
        wrong = [line for line in lines if "FATAL" in line or "PANIC" in line or "could not" in line]
        return (wrong or lines or ["-"])[-1]


def _read_passwords(path: Path) -> dict[str, str] | None:
    """What the file holds; None when it is not there. Raises Refused(NODE_SECRETS_OPEN) when others can read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise Refused(Code.NODE_SECRETS_OPEN, file=path)
        return {str(role): str(word) for role, word in json.loads(path.read_text("utf-8")).items()}
    except FileNotFoundError:
        return None
