"""PSAMs in the hands of a city whose terminals pay, keys in its machine, and people who work with them."""

from __future__ import annotations

import pytest
from django.utils import timezone
from tests.support.payments import CITY

from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.initialisation.carrier_drawer import CarrierDrawer
from sheka.equipment.initialisation.device_keys import take_in
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.systems.custody.models import Carrier
from sheka.systems.keys.models import Key
from sheka.systems.psams.actions.load_psam import load_psam
from sheka.systems.psams.actions.place_psam import activate_psam, bind_psam, describe_psam, ship_psam
from sheka.systems.transactions.psam_policy import psam_policy

MAC = ("mac", "purchase", "tac", "load", "amount")


@pytest.fixture(scope="module")
def maker(haikou_machine, tmp_path_factory):
    """A drawer of virtual PSAMs as long as the machine stands."""
    return CarrierDrawer(tmp_path_factory.mktemp("drawer"), sync=False)


@pytest.fixture
def drawer(maker, haikou_machine, tree):
    """The drawer, its maker's keys in Haikou's machine."""
    take_in(haikou_machine, maker.maker)
    return maker


@pytest.fixture
def psams(tree, drawer):
    """psams(count, keeper) → serials of blank PSAMs that the ministry issued and a custodian handed to `keeper`."""

    def make(count, keeper=None):
        serials = drawer.manufacture("psam", count)
        staff = StaffMember.objects.get(pk=keeper.staff_id) if keeper is not None else None
        for serial in serials:
            for place in ("000000", CITY):
                here = place == CITY
                Carrier.objects.create(
                    serial=serial,
                    kind="psam",
                    organisation=tree[place],
                    state=("in_use" if staff else "blank") if here else "away",
                    at=CITY,
                    keeper=staff if here else None,
                    certified=True,
                    issued_at=timezone.now(),
                    since=timezone.now(),
                )
        return serials

    return make


@pytest.fixture
def city_keys(tree, haikou_machine):
    """The keys that the policy loads, active at Haikou."""
    profile = load_profile()
    known = {(key.name, key.owner): key for key in haikou_machine.list_keys()}
    for algorithm in Algorithm:
        for name in psam_policy().keys:
            full = f"PSAM-{name}.{algorithm.name}"
            usage = Usage.MAC if str(profile.key(name).purpose) in MAC else Usage.AUTHENTICATE
            info = known.get((full, CITY))
            if info is None:
                info = haikou_machine.generate(full, algorithm, usage, owner=CITY, diversified=usage is Usage.MAC)
            Key.objects.create(
                organisation=tree[CITY],
                name=name,
                algorithm=int(algorithm),
                version=1,
                usage=str(usage),
                owner_level="ministry",
                reference=info.ref,
                check_value=info.check_value,
                origin="imported",
                state="active",
                since=timezone.now(),
            )


@pytest.fixture
def officers(appoint):
    """Haikou's key officer, acquiring officer and custodian."""
    return {
        "keys": appoint("c-keys", CITY, "key_officer"),
        "acquiring": appoint("c-acquiring", CITY, "acquiring_officer"),
        "custodian": appoint("c-keeper", CITY, "custodian"),
        "second": appoint("c-second", CITY, "approver"),
    }


@pytest.fixture
def in_use(bank, psams, drawer, city_keys):
    """in_use() → the serial of a PSAM that serves in the first terminal; everything done by Haikou's processes."""

    def make(terminal="460100000001"):
        (serial,) = psams(1)
        city = Actor.process("test", CITY)
        Carrier.objects.filter(serial=serial, organisation_id=CITY).update(state="in_use")
        load_psam(city, serial=serial, reader=drawer.reader(serial))
        bind_psam(city, serial=serial, terminal=terminal, reader=drawer.reader(serial))
        ship_psam(city, serial=serial, receiver="门诊收费处")
        activate_psam(city, serial=serial)
        describe_psam(city, serial=serial, form="id000", conditions="室内，恒温", mode="terminal")
        return serial

    return make
