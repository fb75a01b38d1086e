"""Row-level security: what is out of scope is not there, cannot be written, is never forgotten (ASVS 8.4.1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import ProgrammingError, connection, connections, transaction
from django.utils import timezone

from sheka.office.database.guard import BY_OTHER_COLUMNS, PUBLISHED, require_protection, scoped_tables
from sheka.office.messages.outbox import send
from sheka.office.organisations.models import Organisation
from sheka.office.scope import ROOT, acting_in, current, whole_node
from sheka.systems.cards.models import Person

pytestmark = [pytest.mark.django_db]
HAIKOU, SANYA = "o000000.o460000.o460100", "o000000.o460000.o460200"
OF_NOBODY = {
    "auth_group": "Django's own; roles stand in policy/permissions.yaml",
    "auth_group_permissions": "Django's own",
    "auth_permission": "Django's own",
    "django_content_type": "Django's own",
    "django_migrations": "Django's own",
    "django_session": "found by a random key before anybody is known; holds no personal data but the session's id",
    "documents_question": "how often an address, kept as a digest, asked the public verify page",
    "exceptions_watermark": "how far the node has read what its switch told; two numbers",
    "jobs_periodicrun": "the node's clock: when a periodic turn ran",
    "operations_heartbeat": "that the node's processes live",
    "operations_holidaynotice": "the working days of the country",
    "procrastinate_events": "the queue holds the number of a run; the run is scoped",
    "procrastinate_jobs": "the queue holds the number of a run; the run is scoped",
    "procrastinate_periodic_defers": "the queue of jobs",
    "procrastinate_workers": "the queue of jobs",
    "transactions_change": "how often something changed that the switch follows; counted by its function",
    "staff_attemptwindow": "failures of an address, before anybody is known",
    "transactions_anchor": "roots of trees over the seals of every organisation",
    "transactions_anchoredstretch": "which seals an anchor holds",
    "transactions_archive": "an archived day holds rows of every organisation; a reader gets those in reach",
    "transactions_archivedstretch": "which seals an archived day holds the rows of",
    "transactions_pulse_process": "how a process of the node works",
    "transactions_seal": "a batch of the switch holds rows of every organisation",
    "transactions_window": "the clearing windows of the node",
}
"""Tables that belong to no organisation, and why."""


@pytest.fixture
def in_tables():
    """in_tables(query) → its rows."""

    def run(query: str, *parameters: object) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()

    return run


def test_every_table_is_scoped_or_says_why_not(in_tables):
    every = {
        row[0]
        for row in in_tables(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
        )
    }
    scoped = set(scoped_tables())
    assert every - scoped - OF_NOBODY.keys() == set(), "scope it in its migration (office.sql), or say here why not"
    assert scoped & OF_NOBODY.keys() == set()
    assert set(BY_OTHER_COLUMNS) <= scoped
    require_protection()


def test_a_column_of_an_organisation_makes_a_table_scoped(in_tables):
    """The same question asked of the catalogue: foreign keys that lead to an organisation, and columns by name."""
    chained = {
        row[0]
        for row in in_tables(
            "WITH RECURSIVE belongs (id) AS (SELECT 'organisations_organisation'::regclass::oid UNION"
            " SELECT conrelid FROM pg_constraint JOIN belongs ON confrelid = belongs.id WHERE contype = 'f')"
            " SELECT id::regclass::text FROM belongs UNION SELECT attrelid::regclass::text FROM pg_attribute"
            " JOIN pg_class c ON c.oid = attrelid WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND attname IN ('organisation_id', 'held_by_id', 'institution_id', 'account_id', 'card_id', 'person_id')"
        )
    }
    assert chained <= set(scoped_tables())


def test_the_partitions_answer_nobody_directly(bank, in_tables):
    in_tables("SELECT transactions_ensure_day(%s)::text", timezone.localdate())
    rows = in_tables(
        "SELECT relrowsecurity, relforcerowsecurity, has_table_privilege('sheka_app', c.oid, 'SELECT')"
        " FROM pg_class c WHERE relispartition AND relkind = 'r'"
    )
    assert rows
    assert set(rows) == {(True, True, False)}


def test_another_city_sees_no_row_and_nothing_set_none_at_all(bank, in_tables):
    send("460100", "460000", "a.kind", {"x": 1})
    filled = {table: count for table in scoped_tables() if (count := in_tables(f"SELECT count(*) FROM {table}")[0][0])}
    assert {"cards_card", "accounts_entry", "transactions_terminal", "audit_event", "office_messages_outbox"} <= set(
        filled
    )
    published = {name.removesuffix("_read").removesuffix("_published") for name in PUBLISHED}
    for table, count in filled.items():
        query = f"SELECT count(*) FROM {table}"
        with acting_in():
            assert in_tables(query)[0][0] == (count if table in published else 0), table
        if table in {*published, "audit_event", "work_search_term"}:  # Sanya has rows of its own there
            continue
        with acting_in(SANYA):
            assert in_tables(query)[0][0] == 0, table
        with acting_in(HAIKOU):
            assert in_tables(query)[0][0] == count, table


def test_a_superior_sees_what_stands_below_and_several_paths_are_joined(bank, tree):
    with acting_in("o000000.o460000"):
        assert Person.objects.count() == len(bank.accounts)
    with acting_in(SANYA, HAIKOU):
        assert current() == f"{SANYA},{HAIKOU}"
        assert Person.objects.count() == len(bank.accounts)


def test_a_row_is_not_written_into_an_organisation_out_of_scope(tree):
    row = {
        "social_security_number": "110101199003070134",
        "name": "甲",
        "sex": 1,
        "birth": date(1990, 3, 7),
        "ethnic_group": "01",
        "registered_at": timezone.now(),
    }
    with acting_in(SANYA):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Person.objects.create(organisation_id="460100", **row)
        kept = Person.objects.create(organisation_id="460200", **row)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Person.objects.filter(pk=kept.pk).update(organisation_id="460100")
    with acting_in(HAIKOU):
        assert Person.objects.filter(pk=kept.pk).update(name="乙") == 0


def test_the_directory_is_read_by_all_and_written_in_scope_only(tree):
    with acting_in(SANYA):
        assert Organisation.objects.count() == len(tree)
        assert Organisation.objects.filter(code="460100").update(name="别人的") == 0
        assert Organisation.objects.filter(code="460200").update(name="三亚") == 1
    with acting_in():
        assert Organisation.objects.filter(code="460200").update(name="无") == 0


def test_a_rollback_does_not_leave_another_scope_behind(tree, in_tables):
    asked = "SELECT current_setting('sheka.scope', true)"
    assert in_tables(asked) == [(ROOT,)]
    with acting_in(SANYA):
        with pytest.raises(ZeroDivisionError), transaction.atomic(), acting_in(HAIKOU):
            assert in_tables(asked) == [(HAIKOU,)]
            raise ZeroDivisionError
        assert in_tables(asked) == [(SANYA,)]
    assert in_tables(asked) == [(ROOT,)]


@pytest.mark.django_db(transaction=True)
def test_a_thread_of_its_own_has_no_scope():
    def look() -> tuple[str, int]:
        try:
            return current(), Person.objects.count()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(look).result() == ("", 0)


def test_the_whole_node_needs_a_reason():
    with pytest.raises(ValueError, match="reason"), whole_node("  "):
        pass


@pytest.mark.parametrize("scope", ["o000000.o46 0100", "o000000;DROP TABLE cards_card", "o000000.*", "%", "o000000.."])
def test_a_scope_that_is_no_path_opens_nothing(scope, in_tables):
    """ltree takes labels of letters, digits and _ only: what comes in as text cannot become a pattern."""
    with pytest.raises(ProgrammingError, match="ltree syntax error"), acting_in(scope), transaction.atomic():
        in_tables("SELECT sheka_scope()::text")
    with acting_in("o000000.o460"):
        assert not Person.objects.exists()
