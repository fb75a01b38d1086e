"""Custodians present shares through the action: audited, and refused to everybody else (K6)."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from tests.support.custodians import share_out

from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.sealed_entry import seal_for
from sheka.equipment.server.files import make_socket_folder
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.systems.keys.actions.unseal_machine import unseal_machine
from sheka.systems.keys.machines import close_machines
from sheka.systems.keys.unsealing import entry_key_for, seal_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def custodians(tmp_path):
    """The shares of Haikou's machine, which runs and is sealed."""
    node = settings.NODE
    name = node.machine("460100").name
    make_socket_folder(node.sockets)
    close_machines()
    handle = start_machine(
        tmp_path, callers=node.machine_callers(name), address=node.machine_address(name), custodians=True
    )
    with handle.client("systems") as machine:
        shares = share_out(machine, 2, 2)
        machine.seal()
    yield shares
    close_machines()
    handle.stop()


def give(actor, holder, text):
    key = entry_key_for(actor)
    return unseal_machine(actor, holder=holder, entry=key.id, sealed=seal_for(key.public_key, key.id, text))


@pytest.mark.req("K6")
def test_each_share_is_audited_with_its_holder_and_the_last_opens(appoint, custodians):
    first, second = appoint("bao1", "460100", "custodian"), appoint("bao2", "460100", "custodian")
    assert give(first, 2, custodians[1].text).presented == 1
    with pytest.raises(Refused) as refusal:
        give(second, 1, b"wrong")
    assert refusal.value.code is Code.MACHINE_SHARE_WRONG
    assert seal_of(second).came == (2,)
    assert not give(second, 1, custodians[0].text).sealed
    told = [
        (event.event, event.staff_id, json.loads(event.facts)["holder"])
        for event in Event.objects.filter(subject="machine:460100").order_by("sequence")
    ]
    assert told == [("machine.share_presented", first.staff_id, 2), ("machine.unsealed", second.staff_id, 1)]


@pytest.mark.req("K6")
def test_nobody_but_a_custodian_gets_a_key_to_seal_a_share_to(appoint, custodians):
    officer = appoint("keys", "460100", "key_officer")
    for ask in (lambda: entry_key_for(officer), lambda: unseal_machine(officer, holder=1, entry=b"", sealed=b"")):
        with pytest.raises(Refused) as refusal:
            ask()
        assert refusal.value.code is Code.PERMISSION_MISSING
