"""The quick way to the tree of the tests leaves what the action leaves: every row, every word, a chain that holds."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from tests.support.organisations import Kept, by_action

from sheka.office.audit.verify import verify
from sheka.office.organisations.models import Organisation


def rows():
    """What the tables hold but for keys and times, and whether the chain holds."""
    kept = Kept.of_now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequence FROM audit_event ORDER BY sequence")
        numbers = [row[0] for row in cursor.fetchall()]
    return kept, numbers


@pytest.mark.django_db
def test_what_is_written_at_once_is_what_the_action_writes(installer):
    with transaction.atomic():
        made = by_action(installer)
        kept, numbers = rows()
        transaction.set_rollback(True)
    assert not Organisation.objects.exists()
    planted = kept.planted()
    assert rows() == (kept, numbers) and verify().holds
    assert planted == made and list(planted) == list(made)
    for code, place in planted.items():
        known = {name: value for name, value in vars(place).items() if name != "_state"}
        assert known == {name: value for name, value in vars(made[code]).items() if name != "_state"}
        assert place.parent == made[code].parent
