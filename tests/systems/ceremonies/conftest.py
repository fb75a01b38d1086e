"""An office of people at the ministry, and a real encryption machine of its own for each test."""

import pytest
from tests.support.ceremonies import office_of
from tests.support.organisations import appoint, installer, tree

from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.server.files import make_socket_folder
from sheka.equipment.server.node import NodeConfig
from sheka.foundation.refusals import Refused
from sheka.systems.ceremonies.models import Ceremony
from sheka.systems.ceremonies.rehearsals import end_test_machine
from sheka.systems.keys.machines import close_machines

__all__ = ["appoint", "installer", "tree"]


@pytest.fixture
def node(settings, tmp_path):
    """A node of its own, whose documents are kept under a key file."""
    made = NodeConfig.create_demo(tmp_path / "node", document_keys="file")
    make_socket_folder(made.sockets)
    kept, settings.NODE = settings.NODE, made
    close_machines()
    yield made
    for number in Ceremony.objects.values_list("number", flat=True):
        end_test_machine(number)
    close_machines()
    settings.NODE = kept


@pytest.fixture
def machine(node):
    """The ministry's machine, running."""
    handle = start_machine(
        node.machine_folder("ministry"),
        callers=node.machine_callers("ministry"),
        address=node.machine_address("ministry"),
    )
    yield handle
    handle.stop()


@pytest.fixture
def office(appoint, node):
    """The ministry's people."""
    return office_of(appoint, "000000")


@pytest.fixture
def refused():
    """refused(code, verb, ...) → the refusal, which must have this code."""

    def ask(code, verb, *args, **kwargs):
        with pytest.raises(Refused) as found:
            verb(*args, **kwargs)
        assert found.value.code is code, found.value
        return found.value

    return ask
