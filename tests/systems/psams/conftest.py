"""A city with terminals that pay, PSAMs in its hands, keys in its machine, and people who work with them."""

from __future__ import annotations

import pytest
from django.utils import timezone
from tests.support.organisations import appoint, installer, tree
from tests.support.payments import CITY, bank, haikou_machine, switch

from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.initialisation.carrier_drawer import CarrierDrawer
from sheka.equipment.initialisation.device_keys import take_in
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.staff.models import StaffMember
from sheka.systems.custody.models import Carrier
from sheka.systems.keys.models import Key
from sheka.systems.transactions.psam_policy import psam_policy

__all__ = ["appoint", "bank", "haikou_machine", "installer", "switch", "tree"]
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
