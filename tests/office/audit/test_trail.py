"""The audit chain: append-only for everybody, and whoever edits it as a superuser is found out."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from sheka.office.audit.models import Event
from sheka.office.audit.trail import head, record, verify_chain


@pytest.fixture
def trail(installer, tree):
    for number in range(5):
        record(installer, "test.event", f"thing:{number}", number=number, text="中文 ‘quoted’")
    return head()


def test_an_untouched_chain_holds(trail):
    assert verify_chain() == []
    assert verify_chain(expected_head=trail) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_event SET actor = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event"]
)
def test_nobody_changes_a_row(trail, statement):
    with pytest.raises(ProgrammingError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
    assert verify_chain(expected_head=trail) == []


DRILLS = {
    "an edited fact": ("UPDATE audit_event SET facts = '{}' WHERE sequence = %s - 2", "edited"),
    "another name": ("UPDATE audit_event SET actor = 'somebody else' WHERE sequence = %s - 2", "edited"),
    "a back-dated row": ("UPDATE audit_event SET at = at - interval '1 day' WHERE sequence = %s - 2", "edited"),
    "a removed row": ("DELETE FROM audit_event WHERE sequence = %s - 2", "missing"),
    "a cut tail": ("DELETE FROM audit_event WHERE sequence >= %s", "cut"),
}


@pytest.mark.parametrize("drill", DRILLS)
@pytest.mark.django_db(transaction=True)
def test_tampering_with_the_trigger_off_is_found(trail, test_cluster, drill):
    statement, fault = DRILLS[drill]
    with test_cluster.administrator(connection.settings_dict["NAME"]) as outside:
        outside.execute("SET session_replication_role = replica")
        outside.execute(statement.replace("%s", str(trail[0])))
    breaks = verify_chain(expected_head=trail)
    assert any(fault in row.fault for row in breaks), breaks


def test_the_head_moves_with_every_row(trail, installer):
    record(installer, "test.event", "thing:6")
    assert head()[0] == trail[0] + 1
    assert Event.objects.get(sequence=head()[0]).previous == trail[1]
