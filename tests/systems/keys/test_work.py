"""Consignments on their way wait for the recipient's key officer, and at the sender for the check values (K2)."""

from __future__ import annotations

import pytest
from tests.support.keys import HAINAN, MINISTRY

from sheka.office.work.models import WorkItem
from sheka.office.work.queries import unassigned


@pytest.mark.req("K2")
def test_sub_keys_wait_at_both_ends(world):
    world.generate(MINISTRY, names=["IRK"])
    serial = world.card()
    world.export(MINISTRY, HAINAN, serial)
    assert [item.kind for item in unassigned(world.officer[MINISTRY])[0:5]] == ["key.confirm"]
    assert [item.kind for item in unassigned(world.officer[HAINAN])[0:5]] == ["key.import"]
    world.carry(MINISTRY, HAINAN, serial)
    world.take(HAINAN, serial)
    assert not WorkItem.objects.filter(kind__startswith="key.").exclude(state="done").exists()
