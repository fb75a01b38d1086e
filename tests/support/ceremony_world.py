"""The ministry's key office for ceremonies in a browser: its people, an approved request, a web process, its machine.

It needs no story: the node's database is a copy of the migrated template, filled by `python -m
tests.support.ceremony_world` in a process of its own, since a test's Django has another database.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.support.console_world import PATH, SETTINGS
from tests.support.world import World

from sheka.equipment.encryption_machine.launch import MachineHandle, start_machine
from sheka.equipment.server.files import make_socket_folder
from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.equipment.server.processes import spawn

PASSWORD = "four eyes see more than two"
MINISTRY = "000000"
PEOPLE = (
    ("officer", "沈砚秋", "key_officer"),
    ("approver", "顾明远", "approver"),
    ("leader", "温如玉", "key_officer"),
    ("custodian-a", "白景初", "custodian"),
    ("custodian-b", "司马澄", "custodian"),
    ("custodian-c", "闻人语", "custodian"),
    ("witness", "莫言白", "auditor"),
)


@dataclass(frozen=True)
class KeyOffice:
    """The running console, `web` its process; `facts` has the numbers of the requests that were approved."""

    address: str
    node: NodeConfig
    machine: MachineHandle
    web: int
    log: Path
    facts: dict[str, Any]


@contextmanager
def key_office(world: World) -> Iterator[KeyOffice]:
    """The node of one test module, with its machine and its web process."""
    from sheka.faces.cli import node_processes

    node = world.fresh_node()
    make_socket_folder(node.sockets)
    environment = {**os.environ, **node_environment(node), "DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": PATH}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.ceremony_world", str(node.folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the key office was not made:\n{done.stdout}{done.stderr}")
    machine = start_machine(
        node.machine_folder("ministry"),
        callers=node.machine_callers("ministry"),
        address=node.machine_address("ministry"),
    )
    spec, log = node_processes.web(node), node.folder / "web.log"
    with log.open("wb") as out:
        told = {**environment, **spec.env, "DJANGO_SETTINGS_MODULE": SETTINGS}
        web = spawn(spec.argv, env=told, log=out, cwd=Path.cwd())
    try:
        deadline = time.monotonic() + 60
        while not spec.ready():
            if web.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the console does not answer:\n{log.read_text('utf-8')}")
            time.sleep(0.05)
        facts = json.loads((node.folder / "facts.json").read_text("utf-8"))
        yield KeyOffice(f"http://localhost:{node.web.port}", node, machine, web.pid, log, facts)
    finally:
        web.terminate()
        web.wait(timeout=20)
        machine.stop()
        world.cluster.drop_database(node.file.database.name)


def main(folder: Path) -> None:
    """Organisation, people, and two requests that were approved: keys to be generated, and a machine to be set up."""
    import django

    django.setup()
    from django.utils import timezone
    from django_otp.plugins.otp_totp.models import TOTPDevice
    from tests.support.approvals import decided

    from sheka.foundation.crypto.algorithms import Algorithm
    from sheka.office.organisations.actions.add_organisation import add_organisation
    from sheka.office.scope import whole_node
    from sheka.office.staff.actions.appoint_staff import appoint_staff
    from sheka.office.staff.actions.grant_role import grant_role
    from sheka.office.staff.actors import Actor
    from sheka.office.staff.permissions import Permission
    from sheka.office.staff.queries import actor_named
    from sheka.systems.keys.actions.propose_generation import propose_generation

    installer = Actor(None, "process:installer", MINISTRY, "o000000", frozenset(Permission))
    with whole_node("the office is made from nothing"):
        add_organisation(
            installer,
            code=MINISTRY,
            name="部级社会保障卡管理机构",
            name_en="Ministry card office",
            kind="ministry",
            region="000000",
            parent=None,
            valid_from=date(2026, 1, 1),
        )
        today = timezone.localdate()
        for login, name, role in PEOPLE:
            staff = appoint_staff(
                installer, login=login, name=name, person_id=login, organisation_code=MINISTRY, password=PASSWORD
            )
            grant_role(installer, staff=staff, role=role, valid_from=today, valid_to=today + timedelta(days=365))
            TOTPDevice.objects.create(user=staff, name="手机", confirmed=True, step=1, tolerance=60)
        request = propose_generation(actor_named("officer"), algorithm=Algorithm.SM4, names=["IRK"])
        decided(actor_named("approver"), request)
        (folder / "facts.json").write_text(json.dumps({"generation": request.pk}), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
