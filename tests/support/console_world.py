"""A small town for the tests of the console: the story played with few people, then cards in every state that a page
knows, people of every role, and a city without anything.

It is made once in a test run, by real processes, in a process of its own (`python -m tests.support.console_world`);
every test process then takes a copy of its database and serves it with a web process of its own.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.world import TEMPLATE, World

from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.equipment.server.ports import free_port
from sheka.equipment.server.processes import spawn
from sheka.equipment.server.supervisor import Supervisor
from sheka.faces.cli import node_processes

TOWN = "template_console"
ROOT = Path(__file__).resolve().parents[2]
PATH = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
SETTINGS = "tests.support.town_settings"
PEOPLE, OLD_CHIPS, HANDED_OUT, ACTIVATED = 30, 2, 22, 20
EMPTY_CITY = "460200"


@dataclass(frozen=True)
class Town:
    """The running console of a test process. `facts` names its cards (by what became of them), people and password."""

    address: str
    log: Path
    facts: dict[str, Any]

    def accesses(self) -> str:
        """What the web process has logged so far."""
        return self.log.read_text("utf-8")


def town_template(world: World) -> dict[str, Any]:
    """Make the town when this is the first call of the run; its facts."""
    folder = world.folder / "console"
    with (world.folder / "console.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "facts.json").exists():
            world.template()
            command = [sys.executable, "-m", "tests.support.console_world", str(folder), str(world.cluster.folder)]
            environment = {**os.environ, "PYTHONPATH": PATH}
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            with subprocess.Popen(command, env=environment, **pipes) as making:
                atexit.register(making.kill)
                said, _ = making.communicate(timeout=600)
            if making.returncode != 0:
                shutil.rmtree(folder, ignore_errors=True)
                raise RuntimeError(f"the town was not made:\n{said}")
    facts: dict[str, Any] = json.loads((folder / "facts.json").read_text("utf-8"))
    return facts


class Web:
    """The web process of a copy of the town."""

    def __init__(self, world: World, purpose: str = "") -> None:
        """`purpose`: of a second copy in the same process."""
        facts = town_template(world)
        name = f"console_{purpose}{os.getpid()}"
        self.cluster = world.cluster
        self.node = NodeConfig.create_demo(
            world.folder / name,
            web_port=free_port(),
            switch_port=free_port(),
            database=name,
            postgres=str(world.cluster.folder),
            document_keys="file",  # its encryption machines do not run
        )
        world.copy(name, TOWN)
        spec = node_processes.web(self.node)
        log = self.node.folder / "web.log"
        environment = {**os.environ, **spec.env, "DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": PATH}
        with log.open("wb") as out:
            self.process = spawn(spec.argv, env=environment, log=out, cwd=Path.cwd())
        deadline = time.monotonic() + 30
        while not spec.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the console does not answer:\n{log.read_text('utf-8')}")
            time.sleep(0.05)
        self.town = Town(f"http://{self.node.web.host}:{self.node.web.port}", log, facts)

    def stop(self) -> None:
        """End the process and drop its database."""
        self.process.terminate()
        self.process.wait(timeout=20)
        self.cluster.drop_database(self.node.file.database.name)


def main(folder: Path, cluster: Path) -> None:
    """Make the town: its node and processes, the story, and what the story does not leave behind."""
    making = f"{TOWN}_making"
    node = NodeConfig.create_demo(
        folder, web_port=free_port(), switch_port=free_port(), database=making, postgres=str(cluster)
    )
    postgres = World().cluster
    for name in (making, TOWN):
        postgres.drop_database(name)
    postgres.create_database(making, template=TEMPLATE)
    os.environ.update({**node_environment(node), "DJANGO_SETTINGS_MODULE": SETTINGS})
    with Supervisor(folder=node.folder) as supervisor:
        machines = [node_processes.encryption_machine(node, machine.name) for machine in node.machines]
        supervisor.start(*machines, *node_processes.switch(node))
        import django

        django.setup()
        from django.db import connections

        from sheka.office.scope import whole_node

        with _worker(), whole_node("the story plays every part of the town"):
            facts = _live(node)
        connections.close_all()
    if not (folder / "lived").exists():
        raise SystemExit("a process of the town ended")
    postgres.create_database(TOWN, template=making)
    postgres.freeze_database(TOWN)
    postgres.drop_database(making)
    (folder / "facts.json").write_text(json.dumps(facts, ensure_ascii=False), "utf-8")


@contextmanager
def _worker() -> Iterator[None]:
    """Carry the messages as the node's worker does, without its pauses."""
    from django.db import connections

    from sheka.office.messages.delivery import carry_all
    from sheka.office.scope import whole_node

    stop = threading.Event()

    def carry() -> None:
        with whole_node("the worker carries the messages of every organisation of the town"):
            while not stop.wait(0.05):
                carry_all()
        connections.close_all()

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _live(node: NodeConfig) -> dict[str, Any]:
    from tests.support.console_carriers import carriers_in_the_town
    from tests.support.console_incidents import incidents_of_the_town
    from tests.support.console_people import more_people, states_of_cards
    from tests.support.console_requests import requests_of_all_kinds

    from sheka.equipment.initialisation.drawer import IN_NODE, ChipDrawer
    from sheka.faces.story import book, chips, people_steps
    from sheka.faces.story.cast import demo_password, seed
    from sheka.faces.story.stage import Stage
    from sheka.foundation.crypto.algorithms import Algorithm

    people_steps.PEOPLE, people_steps.OLD_CHIPS = PEOPLE, OLD_CHIPS
    people_steps.HANDED_OUT, people_steps.ACTIVATED = HANDED_OUT, ACTIVATED
    chips.BLANKS = {Algorithm.SM4: PEOPLE + 4, Algorithm.TDES: OLD_CHIPS}
    seed(node.folder)
    stage = Stage(node, ChipDrawer(node.folder / IN_NODE, sync=False))
    for step in book.STEPS:
        step.play(stage)
    more_people(demo_password(node.folder))
    facts = {"password": demo_password(node.folder), "cards": states_of_cards(stage)}
    facts["requests"] = requests_of_all_kinds()
    facts["carriers"] = carriers_in_the_town()
    facts["incident"] = incidents_of_the_town()
    (node.folder / "lived").touch()
    return facts


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
