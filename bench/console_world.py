"""The world of the console bench: a PostgreSQL of its own, a million items of work, the real web process, and beside it
a Django that answers one word.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from bench.console_seed import seed
from sheka.equipment.server.child import ProcessSpec
from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.equipment.server.ports import free_port
from sheka.equipment.server.postgres import PostgresCluster
from sheka.faces.cli import node_processes

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "fsync": "off",  # only the seeding writes much, and reads are measured
    "maintenance_work_mem": "128MB",
}
_SEED_CAST = (
    "import django; django.setup(); from sheka.office.scope import whole_node; from pathlib import Path; import \
sys; from sheka.faces.story.cast import seed\nwith whole_node('the bench makes its cast'): seed(Path(sys.argv[1]))"
)
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_CODE = re.compile(r'id="demo-code"[^>]*>\s*(?:<[^>]+>)*(\d{6})')


@dataclass
class ConsoleWorld:
    """Where the two web processes answer, and the password of the cast."""

    node: NodeConfig
    bare: tuple[str, int]
    password: str
    seeding_seconds: float

    def reader(self, login: str) -> Reader:
        """A browser of this person, signed in."""
        reader = Reader(self.node.web.host, self.node.web.port)
        reader.sign_in(login, self.password)
        return reader

    def stranger(self) -> Reader:
        """A browser at the bare view."""
        return Reader(*self.bare)


class Reader:
    """A browser with its cookies, a connection a request. Times are the client's, on the loopback."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = HTTPConnection(host, port, timeout=60)
        self._cookies: dict[str, str] = {}

    def timed(self, path: str) -> float:
        """Milliseconds until a page has been read whole. Raises RuntimeError when it is not that page."""
        began = time.perf_counter()
        status, _page = self.get(path)
        took = 1000 * (time.perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")
        return took

    def get(self, path: str) -> tuple[int, str]:
        status, _where, page = self._ask("GET", path, "")
        return status, page

    def post(self, path: str, page: str, **fields: str) -> str:
        """Send the form of a page; where it leads."""
        token = _TOKEN.search(page)
        if token is None:
            raise RuntimeError(f"no form at {path}")
        body = urlencode({"csrfmiddlewaretoken": token[1], **fields})
        status, where, _page = self._ask("POST", path, body)
        if status != 302:
            raise RuntimeError(f"{path} answered {status}")
        return where

    def sign_in(self, login: str, password: str) -> None:
        """Password, then the one-time code that a demonstration shows."""
        path = "/sign-in"
        where = self.post(path, self.get(path)[1], login=login, password=password)
        page = self.get(where)[1]
        code = _CODE.search(page)
        if code is None:
            raise RuntimeError("the page of the second factor shows no code")
        self.post(where, page, code=code[1])

    def _ask(self, method: str, path: str, body: str) -> tuple[int, str, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        headers["Accept-Language"] = "zh-CN"
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self._connection.request(method, path, body or None, headers)
            answer = self._connection.getresponse()
            page = answer.read().decode()
        finally:
            self._connection.close()
        for line in answer.headers.get_all("Set-Cookie") or ():
            self._cookies |= {name: kept.value for name, kept in SimpleCookie(line).items()}
        return answer.status, answer.headers.get("Location", ""), page


@contextmanager
def console_world(*, items: int, people: int, events: int, node: NodeConfig | None = None) -> Iterator[ConsoleWorld]:
    """Make it all in a temporary folder, and leave nothing. `node`: one whose database is migrated and empty."""
    with ExitStack() as stack:
        own, node = node is None, node or stack.enter_context(_own_node())
        began = time.monotonic()
        if own:
            _run(node, "owner", "-m", "django", "migrate", "--no-input", "--skip-checks", "--verbosity", "0")
        _run(node, "app", "-c", _SEED_CAST, str(node.folder))
        with node.cluster.administrator(node.file.database.name) as connection:
            seed(connection, items=items, people=people, events=events)
        took = time.monotonic() - began
        stack.callback(_stop, _start(node_processes.web(node), node.folder / "web.log"))
        port = free_port()
        stack.callback(_stop, _start(_bare(node, port), node.folder / "bare.log"))
        password = (node.folder / "demo-password.txt").read_text()
        yield ConsoleWorld(node, ("127.0.0.1", port), password, took)


@contextmanager
def _own_node() -> Iterator[NodeConfig]:
    """A node in a temporary folder whose cluster runs and whose database is empty."""
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
        yield node


def _run(node: NodeConfig, role: str, *command: str) -> None:
    environment = {**os.environ, **node_environment(node, role)}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def _bare(node: NodeConfig, port: int) -> ProcessSpec:
    """The bare view under the very same server."""
    served = node_processes.web(node)
    ours = {"sheka.config.wsgi:application": "bench.console_bare:application"}
    ours[f"{node.web.host}:{node.web.port}"] = f"127.0.0.1:{port}"
    argv = tuple(ours.get(part, part) for part in served.argv)
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])

    def ready() -> bool:
        try:
            Reader("127.0.0.1", port).timed("/")
        except OSError:
            return False
        return True

    return ProcessSpec("bare", argv, env={"PYTHONPATH": path}, ready=ready)


def _start(spec: ProcessSpec, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        process = subprocess.Popen(spec.argv, env={**os.environ, **spec.env}, stdout=out, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 60
    while not spec.ready():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(log.read_text("utf-8"))
        time.sleep(0.05)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(30)
