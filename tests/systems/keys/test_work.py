"""Sub-keys on their way wait for the recipient's key officer, and at the sender for the check values (K2)."""

from __future__ import annotations

import pytest
from tests.support.organisations import appoint, installer, tree

from sheka.office.work.models import WorkItem
from sheka.office.work.queries import mine, unassigned
from sheka.systems.keys import waiting

__all__ = ["appoint", "installer", "tree"]


@pytest.mark.req("K2")
def test_sub_keys_wait_at_both_ends(appoint, tree):
    sender, recipient = appoint("sender", "460000", "key_officer"), appoint("recipient", "460100", "key_officer")
    waiting.subkeys_sent(sender, tree["460100"])
    waiting.subkeys_received(recipient, "460000")
    assert [item.kind for item in mine(sender)[0:5]] == ["key.confirm"]
    assert [item.kind for item in unassigned(recipient)[0:5]] == ["key.import"]
    waiting.subkeys_imported(recipient)
    waiting.subkeys_confirmed(sender, "460100")
    assert not WorkItem.objects.exclude(state="done").exists()
