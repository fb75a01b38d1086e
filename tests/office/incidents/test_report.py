"""An incident is reported in one step: everybody may, and at once those above know and the thing is stopped (K9)."""

from __future__ import annotations

import pytest


@pytest.mark.req("K9")
def test_what_is_affected_is_frozen_in_the_transaction_of_the_report(report, store):
    made = report("lost_carrier", "carrier:T-1", "key:irk.1")
    assert store.frozen == ["T-1", "irk.1"]
    assert [row.state for row in made.affected.all()] == ["frozen", "frozen"]
