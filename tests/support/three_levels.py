"""Ministry, Hainan and Haikou on one node with real processes: three machines that know each other, web and worker, and
two transmission key cards that the ministry issued. Nothing has been generated yet.

The node is seeded by `python -m tests.support.three_levels FOLDER` in a process of its own, since a test's Django has
another database.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.console_world import PATH, SETTINGS
from tests.support.world import World

from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.equipment.server.supervisor import ProcessSpec, Supervisor

PIN = "271828"


@dataclass(frozen=True)
class Levels:
    """The running node. `facts`: the password of all log-ins, the serials of the cards, the fingerprints by office."""

    address: str
    node: NodeConfig
    facts: dict[str, Any]


@contextmanager
def three_levels(world: World) -> Iterator[Levels]:
    """The node of one test module, with all its processes but the switch."""
    from sheka.faces.cli import node_processes

    node = world.fresh_node()
    with Supervisor(folder=node.folder) as supervisor:
        supervisor.start(*(node_processes.encryption_machine(node, machine.name) for machine in node.machines))
        environment = {**os.environ, **node_environment(node), "DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": PATH}
        command = [sys.executable, "-m", "tests.support.three_levels", str(node.folder)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the levels were not made:\n{done.stdout}{done.stderr}")
        supervisor.start(_quick(node_processes.web(node)), _quick(node_processes.worker(node)))
        facts = json.loads((node.folder / "facts.json").read_text("utf-8"))
        yield Levels(f"http://localhost:{node.web.port}", node, facts)
    world.cluster.drop_database(node.file.database.name)


def _quick(spec: ProcessSpec) -> ProcessSpec:
    """The same with the test's cheap hashes of passwords."""
    return replace(spec, env={**spec.env, "DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": PATH})


def main(folder: Path) -> None:
    """The cast of the demonstration; machines registered and trusted; two cards, their PIN changed."""
    import django

    django.setup()
    from django_otp.plugins.otp_totp.models import TOTPDevice

    from sheka.equipment.card_reader.key_carrier import KeyCarrierSession
    from sheka.equipment.initialisation.carrier_drawer import IN_NODE, CarrierDrawer
    from sheka.equipment.initialisation.device_keys import carrier_keys
    from sheka.faces.story.cast import CAST, HAIKOU, HAINAN, MINISTRY, acting, demo_password, seed
    from sheka.office.scope import whole_node
    from sheka.systems.custody.actions.issue_carriers import issue_carriers
    from sheka.systems.keys.actions.import_carrier_keys import import_carrier_keys
    from sheka.systems.keys.actions.register_machine import register_machine, trust_machine
    from sheka.systems.keys.machines import machine_of

    with whole_node("three levels are made from nothing"):
        seed(folder)
        TOTPDevice.objects.update(step=1, tolerance=60)
        officers = {place: acting(f"{name}-keys") for place, name in OFFICES.items()}
        prints = {place: register_machine(officer).fingerprint for place, officer in officers.items()}
        for above, below in ((MINISTRY, HAINAN), (HAINAN, HAIKOU)):
            trust_machine(officers[above], of=below, fingerprint=prints[below])
            trust_machine(officers[below], of=above, fingerprint=prints[above])
        made = issue_carriers(acting("ministry-custodian"), kind="transmission_key_card", count=2)
        drawer = CarrierDrawer(folder / IN_NODE)
        for officer in officers.values():
            import_carrier_keys(officer, maker=drawer.maker)
        for card in made:
            with KeyCarrierSession(drawer.reader(card.serial), carrier_keys(machine_of(MINISTRY))) as session:
                session.change_pin(session.profile.pin.initial, PIN)
    facts = {
        "password": demo_password(folder),
        "cards": [card.serial for card in made],
        "names": {member.login: member.name for member in CAST},
        "fingerprints": {OFFICES[place]: value for place, value in prints.items()},
    }
    (folder / "facts.json").write_text(json.dumps(facts), "utf-8")


OFFICES = {"000000": "ministry", "460000": "hainan", "460100": "haikou"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
