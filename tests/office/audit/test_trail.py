"""The audit chain: append-only for everybody, and whole however many write at once."""

from __future__ import annotations

import threading

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.db.utils import ProgrammingError

from sheka.office.audit.models import Event
from sheka.office.audit.trail import head, record
from sheka.office.audit.verify import verify
from sheka.office.scope import whole_node


def test_an_untouched_chain_holds(trail):
    verdict = verify()
    assert verdict.holds
    assert (verdict.last, verdict.rows) == (trail, trail[0])


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_event SET actor = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event"]
)
def test_nobody_changes_a_row(trail, statement):
    with pytest.raises(ProgrammingError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
    assert verify().last == trail


def test_the_head_moves_with_every_row(trail, installer):
    assert record(installer, "test.event", "thing:6") == trail[0] + 1
    assert head()[0] == trail[0] + 1
    assert Event.objects.get(sequence=head()[0]).previous == trail[1]


@pytest.mark.django_db(transaction=True)
def test_sixteen_writers_at_once_write_one_chain(trail, installer):
    """Some of them roll back; what they leave behind is no gap."""
    start, faults = threading.Barrier(16), []

    def write(number):
        try:
            with whole_node("a writer of the test"):
                start.wait()
                for turn in range(6):
                    with transaction.atomic():
                        record(installer, "test.event", f"writer:{number}", turn=turn)
                        transaction.set_rollback(turn == number % 6)
        except Exception as error:
            faults.append(error)
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not faults
    verdict = verify()
    assert verdict.holds, verdict.findings
    assert verdict.rows == trail[0] + 16 * 5
