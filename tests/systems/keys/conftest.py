"""Three real encryption machines of their own for each test, at the addresses of a node made for it."""

import pytest
from tests.support.keys import KeyWorld
from tests.support.organisations import appoint, installer, tree

from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.server.files import make_socket_folder
from sheka.equipment.server.node import NodeConfig
from sheka.systems.keys.machines import close_machines

__all__ = ["appoint", "installer", "tree"]


@pytest.fixture
def wanted():
    """The machines that a test needs; a module with fewer says so."""
    return ("ministry", "hainan", "haikou")


@pytest.fixture
def machines(settings, tmp_path, wanted):
    """Ministry, Hainan, Haikou: each a process with its own keys; stopped after the test."""
    node = NodeConfig.create_demo(tmp_path / "node", document_keys="file")
    make_socket_folder(node.sockets)
    started = {
        machine.name: start_machine(
            node.machine_folder(machine.name),
            callers=node.machine_callers(machine.name),
            address=node.machine_address(machine.name),
        )
        for machine in node.machines
        if machine.name in wanted
    }
    kept = settings.NODE
    settings.NODE = node
    close_machines()
    yield started
    close_machines()
    settings.NODE = kept
    for handle in started.values():
        handle.stop()


@pytest.fixture
def world(appoint, machines):
    """Officers, approvers and custodians at each level; the machines know each other."""
    return KeyWorld(appoint)
