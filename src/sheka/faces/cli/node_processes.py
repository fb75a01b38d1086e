"""The processes of a node and the order in which they start (H1)."""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.demo_custodians import SEALING, open_for_demo
from sheka.equipment.encryption_machine.launch import prepare
from sheka.equipment.encryption_machine.rights import INITIALISATION, SWITCH
from sheka.equipment.server.line_certificates import ensure_own
from sheka.equipment.server.machine_user import settle
from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.equipment.server.ports import answers
from sheka.equipment.server.supervisor import ProcessSpec, Supervisor
from sheka.equipment.server.system_users import files_as
from sheka.foundation.refusals import Code, Refused

PACKAGES = ("asyncpg", "django", "gunicorn", "procrastinate", "psycopg", "uvloop", "whitenoise")
WEB_THREADS = 16
Tell = Callable[[str, float], None]


def require_packages() -> None:
    """Raise Refused(SERVER_PACKAGE_MISSING) when a process would not find a package that it needs."""
    for package in PACKAGES:
        if find_spec(package) is None:
            raise Refused(Code.SERVER_PACKAGE_MISSING, package=package)


def start_node(supervisor: Supervisor, node: NodeConfig, tell: Tell) -> None:
    """Start everything that belongs to the node; returns when all of it answers.

    `tell(name, seconds)` hears of each part that is up. Ports are looked at first, so that nothing starts in vain.
    Raises what the parts refuse.
    """
    require_packages()
    switches = switch(node)
    last = [worker(node), *switches, web(node)]
    supervisor.require_ports(last)

    def timed(name: str, work: Callable[[], object]) -> None:
        began = time.monotonic()
        work()
        tell(name, time.monotonic() - began)

    if node.embedded:
        timed("数据库 database", partial(start_database, supervisor, node))
    for machine in node.machines:
        if machine.folder:
            start = partial(supervisor.start, encryption_machine(node, machine.name))
            timed(f"加密机 encryption machine · {machine.name}", start)
    timed("数据结构 migration", partial(supervisor.run, migration(node)))
    names = ("消息 worker", *(f"交易 {one.name}" for one in switches), "网页 web")
    for name, spec in zip(names, last, strict=True):
        timed(name, partial(supervisor.start, spec))


def start_database(supervisor: Supervisor, node: NodeConfig) -> None:
    """Start the node's own PostgreSQL with its roles and its database."""
    node.cluster.prepare()
    node.cluster.await_old_backends()
    supervisor.start(node.cluster.spec())
    node.cluster.create_roles()
    node.cluster.ensure_database(node.file.database.name)


def encryption_machine(node: NodeConfig, name: str) -> ProcessSpec:
    """One of the node's encryption machines; its configuration is written anew from the node's file.

    It starts sealed and is ready when it answers, sealed or not: its custodians open it from the console. In a
    demonstration it is unsealed here. A store of an earlier version with a sealing secret in a file opens with that.
    Under a supervisor that is root it runs as a user of its own (`machine_user`).
    """
    address, callers = node.machine_address(name), node.machine_callers(name)
    secrets = node.machine_folder(name) / "secrets"
    user = settle(node, name)
    with files_as(user):
        config = prepare(
            node.machine_folder(name),
            callers=callers,
            address=address,
            rights={"switch": SWITCH, "initialisation": INITIALISATION},
            custodians=not (secrets / SEALING).exists(),
        )

    def ready() -> bool:
        try:
            with EncryptionMachine(address, "systems", callers["systems"], timeout=2.0) as machine:
                machine.describe()
                if node.demo:
                    with files_as(user):
                        open_for_demo(machine, secrets)
        except Refused as refusal:
            return refusal.code in (Code.MACHINE_SHARE_VOID, Code.MACHINE_SHARE_WRONG)  # people hold its shares now
        return True

    argv = [sys.executable, "-m", "sheka.equipment.encryption_machine", "--config", str(config)]
    argv += [] if user is None else ["--user", f"{user.uid}:{user.gid}"]
    return ProcessSpec(f"machine-{name}", tuple(argv), ready=ready)


def migration(node: NodeConfig) -> ProcessSpec:
    """Brings the database's structure up to date, as its owner."""
    argv = (sys.executable, "-m", "django", "migrate", "--no-input", "--skip-checks")
    return ProcessSpec("migrate", argv, env=node_environment(node, "owner"), ready_seconds=600.0)


def web(node: NodeConfig) -> ProcessSpec:
    """The console: gunicorn, one worker with threads."""
    host, port = node.web.host, node.web.port

    def ready() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=5.0)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    argv = [sys.executable, "-m", "gunicorn", "sheka.config.wsgi:application", "--bind", f"{host}:{port}"]
    argv += ["--worker-class", "sheka.config.web_worker.PatientWorker", "--workers", "1", "--no-control-socket"]
    argv += ["--threads", str(WEB_THREADS), "--limit-request-line", "4094", "--limit-request-fields", "64"]
    argv += [
        "--graceful-timeout",
        "5",
        "--timeout",
        "60",
        "--access-logfile",
        "-",
        "--worker-tmp-dir",
        _shared_memory(),
    ]
    return ProcessSpec("web", tuple(argv), env=node_environment(node), ready=ready, ports=((host, port),))


def worker(node: NodeConfig) -> ProcessSpec:
    """Carries the messages between the organisations of the node."""
    return ProcessSpec("worker", (sys.executable, "-m", "sheka.config.worker"), env=node_environment(node))


def switch(node: NodeConfig) -> list[ProcessSpec]:
    """Answers the acquirers' ISO 8583 messages: one process, or several that share the port (SO_REUSEPORT)."""
    host, port = node.switch.host, node.switch.port
    if node.switch.tls is not None and node.switch.tls.own:
        ensure_own(node.line_files[0].parent, sorted({host, "127.0.0.1", "localhost"} - {"0.0.0.0"}))  # noqa: S104
    argv = (sys.executable, "-m", "sheka.systems.transactions.switch")
    return [
        ProcessSpec(
            "switch" if number == 1 else f"switch-{number}",
            argv,
            env=node_environment(node),
            ready=lambda: answers(host, port),
            stop_seconds=25.0,
            ports=((host, port),) if number == 1 else (),  # the first one asks whether it is free
        )
        for number in range(1, node.switch.processes + 1)
    ]


def _shared_memory() -> str:
    """Where gunicorn's heartbeat file costs no disk access."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else "/tmp"  # noqa: S108 - gunicorn makes a private file in it
