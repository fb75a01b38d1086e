"""Keys in tests: officers and custodians of three levels, machines that know each other, carriers that really go."""

from __future__ import annotations

import pytest
from django.conf import settings
from tests.support.approvals import decided, present

from sheka.equipment.card_reader.key_carrier import KeyCarrierSession
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.initialisation.carrier_drawer import IN_NODE, CarrierDrawer
from sheka.equipment.initialisation.device_keys import carrier_keys
from sheka.equipment.server.files import make_socket_folder
from sheka.equipment.server.node import NodeConfig
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.messages.delivery import carry_all
from sheka.office.staff.actors import Actor
from sheka.systems.custody.actions.begin_hand_over import begin_hand_over, give_hand_over
from sheka.systems.custody.actions.complete_hand_over import complete_hand_over
from sheka.systems.custody.actions.issue_carriers import issue_carriers
from sheka.systems.keys.actions.activate_keys import activate_keys
from sheka.systems.keys.actions.destroy_keys import destroy_keys
from sheka.systems.keys.actions.export_keys import export_keys
from sheka.systems.keys.actions.follow_consignments import clear_carrier
from sheka.systems.keys.actions.generate_keys import generate_keys
from sheka.systems.keys.actions.import_carrier_keys import import_carrier_keys
from sheka.systems.keys.actions.import_keys import import_keys
from sheka.systems.keys.actions.propose_generation import propose_generation
from sheka.systems.keys.actions.propose_key_step import propose_activation, propose_destruction, propose_export
from sheka.systems.keys.actions.register_machine import register_machine, trust_machine
from sheka.systems.keys.machines import close_machines, machine_of

MINISTRY, HAINAN, HAIKOU = "000000", "460000", "460100"
LEVELS = {MINISTRY: "ministry", HAINAN: "province", HAIKOU: "city"}
NEIGHBOURS = ((MINISTRY, HAINAN), (HAINAN, HAIKOU))
INITIAL_PIN, PIN = "000000", "271828"
SM4 = Algorithm.SM4


def ceremony(code: str) -> Actor:
    """The process of a ceremony of this organisation."""
    return Actor.process("ceremony:T-1", code)


class KeyWorld:
    """`officer`, `approver`, `custodian` by organisation; verbs that bring keys along their life, with real consent."""

    def __init__(self, appoint) -> None:
        roles = {"officer": "key_officer", "approver": "approver", "custodian": "custodian"}
        for name, role in roles.items():
            setattr(self, name, {code: appoint(f"{name}-{code}", code, role) for code in LEVELS})
        prints = {code: register_machine(self.officer[code]).fingerprint for code in LEVELS}
        for upper, lower in NEIGHBOURS:
            trust_machine(self.officer[upper], of=lower, fingerprint=prints[lower])
            trust_machine(self.officer[lower], of=upper, fingerprint=prints[upper])

    @property
    def drawer(self) -> CarrierDrawer:
        return CarrierDrawer(settings.NODE.folder / IN_NODE, sync=False)

    def consent(self, proposal):
        """The approver of the organisation that asks says yes."""
        decided(self.approver[proposal.origin], proposal)
        return proposal.pk

    def generate(self, code, algorithm=SM4, version=1, names=None):
        asked = propose_generation(self.officer[code], algorithm=algorithm, version=version, names=names)
        return generate_keys(ceremony(code), proposal_id=self.consent(asked))

    def activate(self, code, algorithm=SM4, version=1, names=None):
        asked = propose_activation(self.officer[code], algorithm=algorithm, version=version, names=names)
        return activate_keys(ceremony(code), proposal_id=self.consent(asked))

    def destroy(self, code, algorithm=SM4, version=1, names=None):
        asked = propose_destruction(
            self.officer[code], algorithm=algorithm, version=version, reason="no longer needed", names=names
        )
        return destroy_keys(ceremony(code), proposal_id=self.consent(asked))

    def card(self) -> str:
        """A blank transmission key card in the ministry's store, its PIN changed; every machine can talk to it."""
        serial = issue_carriers(self.custodian[MINISTRY], kind="transmission_key_card", count=1)[0].serial
        carry_all()
        for code in LEVELS:
            import_carrier_keys(self.officer[code], maker=self.drawer.maker)
        with KeyCarrierSession(self.drawer.reader(serial), carrier_keys(machine_of(MINISTRY))) as session:
            session.change_pin(INITIAL_PIN, PIN)
        return serial

    def export(self, upper, lower, serial, algorithm=SM4, version=1, names=None):
        asked = propose_export(self.officer[upper], to=lower, algorithm=algorithm, version=version, names=names)
        sent = export_keys(
            ceremony(upper), proposal_id=self.consent(asked), carrier=serial, reader=self.drawer.reader(serial), pin=PIN
        )
        carry_all()
        return sent

    def carry(self, upper, lower, serial) -> None:
        """From custodian to custodian, both present, at one desk."""
        giver, receiver = self.custodian[upper], self.custodian[lower]
        row = begin_hand_over(giver, serials=[serial], purpose="send", to=lower, reason="按计划")
        present(giver, row.digest)
        give_hand_over(giver, number=row.number, digest=row.digest)
        carry_all()
        present(receiver, row.digest)
        complete_hand_over(receiver, number=row.number, digest=row.digest)
        carry_all()

    def take(self, code, serial, pin=PIN):
        """Import what is on the card."""
        keys = import_keys(ceremony(code), carrier=serial, reader=self.drawer.reader(serial), pin=pin)
        carry_all()
        return keys

    def clear(self, code, serial):
        return clear_carrier(ceremony(code), carrier=serial, reader=self.drawer.reader(serial), pin=PIN)

    def pass_down(self, upper, lower, serial, algorithm=SM4, version=1):
        """Everything of one algorithm and version from a level to the next; the card is empty again."""
        self.export(upper, lower, serial, algorithm, version)
        self.carry(upper, lower, serial)
        keys = self.take(lower, serial)
        self.clear(lower, serial)
        return keys


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
