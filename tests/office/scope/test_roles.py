"""The database roles: each may do what it is for, and nothing else (H1)."""

from __future__ import annotations

import json
import subprocess
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone
from psycopg import errors

from sheka.equipment.server.postgres import PostgresCluster
from sheka.equipment.server.postgres_roles import ROLES, script
from sheka.office.audit.models import Event
from sheka.systems.accounts.proofs import CHECKS

pytestmark = [pytest.mark.django_db(transaction=True)]
EVERY_TABLE = """
SELECT c.relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
AND (has_table_privilege(%(role)s, c.oid, %(may)s)
    OR %(may)s <> 'DELETE' AND has_any_column_privilege(%(role)s, c.oid, replace(%(may)s, 'DELETE', 'SELECT')))
"""
EVERY_FUNCTION = """
SELECT p.proname FROM pg_proc p
WHERE pronamespace = 'public'::regnamespace AND has_function_privilege(%s, p.oid, 'EXECUTE')
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
AUDIT = {"audit_event"}


@pytest.fixture
def holds(entered):
    """holds(role, privilege) → the tables on which a role has it, wholly or for a column."""
    administrator = entered("postgres")

    def ask(role: str, privilege: str) -> set[str]:
        return {row[0] for row in administrator.execute(EVERY_TABLE, {"role": f"sheka_{role}", "may": privilege})}

    ask.functions = lambda role: {row[0] for row in administrator.execute(EVERY_FUNCTION, [f"sheka_{role}"])}
    return ask


def test_the_application_changes_no_record_that_is_append_only(holds):
    kept = {
        *("audit_event", "cards_cardevent", "cards_datachange", "cards_documentcheck", "cards_destructionwitness"),
        *("accounts_entry", "accounts_transfer", "transactions_transaction", "transactions_seal"),
        "transactions_message",
    }
    for privilege in ("UPDATE", "DELETE"):
        assert kept & holds("app", privilege) == set(), privilege
    assert holds("app", "INSERT") & {"accounts_entry", "accounts_transfer", "transactions_transaction"} == set()
    assert not {name for name in holds.functions("app") if name.startswith("switch_")}


def test_the_switch_executes_its_functions_and_reads_the_registry(holds):
    assert holds("switch", "SELECT") == {
        *("transactions_institution", "transactions_terminal", "transactions_window"),
        *("transactions_certificate", "transactions_lineroot", "transactions_workingkey"),
    }
    assert holds("switch", "INSERT") == {"transactions_seal"}
    assert holds("switch", "UPDATE") | holds("switch", "DELETE") == set()
    assert holds.functions("switch") == {
        *("switch_purchase_batch", "switch_verb_batch", "switch_balance_batch", "transactions_ensure_day"),
        *("switch_compare_batch", "switch_upload_line", "switch_abnormal", "switch_batch_known"),
        *("switch_refuse_batch", "switch_barred", "switch_changes", "switch_machines"),
        *("switch_psam_counters", "switch_psam_seen", "switch_psam_alarms"),
        *("switch_test_cards", "switch_trials_seen"),
        *(
            "switch_take_key",
            "switch_faults",
            "switch_taken",
            "switch_card_keys",
            "switch_pin_tries",
            "switch_pin_judged",
            "switch_pin_zone",
            "switch_offline_numbers",
        ),
        *("switch_journal", "switch_pulse", "transactions_ensure_message_day"),
    }
    page = (Path(__file__).resolve().parents[3] / "docs" / "operations" / "database-roles.md").read_text("utf-8")
    assert [name for name in holds.functions("switch") if f"`{name}`" not in page] == [], "an auditor reads them there"


def test_the_enquiry_has_no_right_to_any_table_and_asks_by_number_and_check(holds, entered):
    for privilege in ("SELECT", "INSERT", "UPDATE", "REFERENCES"):
        assert holds("enquiry", privilege) == set()
    assert holds.functions("enquiry") == {"cards_exchange_progress"}
    with pytest.raises(errors.InsufficientPrivilege):
        entered("enquiry").execute("SELECT 1 FROM cards_card")


def test_the_auditor_reads_the_audit_tables_of_every_organisation_and_nothing_else(holds, entered, bank):
    assert {name for name in holds("auditor", "SELECT") if not name.startswith("audit_")} == set()
    assert holds("auditor", "SELECT") >= AUDIT
    for privilege in ("INSERT", "UPDATE"):
        assert holds("auditor", privilege) == set()
    assert not holds.functions("auditor")
    assert entered("auditor").execute("SELECT count(*) FROM audit_event").fetchone() == (Event.objects.count(),)


def test_nobody_else_executes_a_function_unless_it_was_granted(entered):
    entered("postgres").execute("CREATE ROLE stranger")
    try:
        found = {row[0] for row in entered("postgres").execute(EVERY_FUNCTION, ["stranger"])}
        assert not {name for name in found if not name.startswith("procrastinate")}
    finally:
        entered("postgres").execute("DROP ROLE stranger")


def test_the_owner_itself_is_under_the_policies(entered, bank):
    owner = entered("owner")
    assert owner.execute("SELECT count(*) FROM cards_person").fetchone() == (0,)
    owner.execute("SET sheka.scope = 'o000000'")
    assert owner.execute("SELECT count(*) FROM cards_person").fetchone()[0] > 0


def test_a_function_shows_the_owner_no_more_when_somebody_else_calls_it(entered, bank):
    """cards_holder under the owner answers the switch's functions; to the owner's own session it answers nothing."""
    number = bank.cards[0].number
    assert entered("owner").execute("SELECT * FROM cards_holder(%s)", [number]).fetchall() == []
    app = entered("app")
    assert app.execute("SELECT * FROM cards_holder(%s)", [number]).fetchall() == []
    app.execute("SET sheka.scope = 'o000000.o460000.o460200'")
    assert app.execute("SELECT * FROM cards_holder(%s)", [number]).fetchall() == []


@pytest.mark.req("S4")
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM cards_card WHERE number = 'x'",
        "SELECT id FROM accounts_account WHERE id = 1",
        "UPDATE accounts_account SET balance = balance WHERE id = 1",
        "SELECT id FROM transactions_terminal WHERE id = 1",
        "SELECT id FROM transactions_institution WHERE id = 1",
        "INSERT INTO accounts_entry VALUES (1, 1, 1, 1, now(), now(), 1)",
    ],
)
def test_a_purchase_pays_nothing_for_the_policies(entered, statement):
    """To the role of the switch's functions nothing is left of them in the plan; the application's plan has them."""
    administrator = entered("postgres")
    administrator.execute("SET ROLE sheka_ledger")
    plan = str(administrator.execute(f"EXPLAIN (VERBOSE, COSTS OFF) {statement}").fetchall())
    assert "Plan 1" not in plan
    assert "organisations_organisation" not in plan
    if statement.startswith("SELECT"):
        administrator.execute("SET ROLE sheka_app")
        plan = str(administrator.execute(f"EXPLAIN (VERBOSE, COSTS OFF) {statement}").fetchall())
        assert "organisations_organisation" in plan


def test_a_transfer_books_no_account_out_of_scope(entered, bank):
    app = entered("app")
    app.execute("SET sheka.scope = 'o000000.o460000.o460200'")
    call = (
        "SELECT refused FROM accounts_post_batch(ARRAY[gen_random_uuid()], '{3}', ARRAY[%s::bigint], ARRAY[%s::bigint],"
        " '{100}', '{x}', '460200')"
    )
    assert app.execute(call, [bank.fund.pk, bank.accounts[0].pk]).fetchone() == (4301,)
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(call.replace("460200", "460100"), [bank.fund.pk, bank.accounts[0].pk])


def test_a_backup_by_pg_dump_holds_every_row_and_the_role_writes_nothing(entered, bank, tmp_path, test_cluster):
    backup = entered("backup")
    people = backup.execute("SELECT count(*) FROM cards_person").fetchone()[0]
    assert people == len(bank.accounts)
    with pytest.raises(errors.ReadOnlySqlTransaction):
        backup.execute("DELETE FROM cards_person")
    backup.execute("SET default_transaction_read_only = off")
    with pytest.raises(errors.InsufficientPrivilege):
        backup.execute("DELETE FROM cards_person")
    cluster, name = settings.NODE.cluster, settings.NODE.file.database.name
    given, target = cluster.parameters(name, "sheka_backup"), f"{name}_restored"
    where = ["-h", given["host"], "-p", given["port"]]
    dump = [cluster.installation.bin / "pg_dump", *where, "-U", given["user"], "-Fc", "-f", tmp_path / "dump", name]
    subprocess.run(dump, check=True, env={"PGPASSWORD": given["password"]}, timeout=120)
    cluster.create_database(target)
    try:
        environment = {"PGPASSWORD": cluster.passwords["postgres"]}
        restore = [cluster.installation.bin / "pg_restore", *where, "-U", "postgres", "-d", target, "--clean"]
        subprocess.run([*restore, "--if-exists", tmp_path / "dump"], check=True, env=environment, timeout=120)
        with psycopg.connect(cluster.dsn(target, "sheka_app")) as app:
            assert app.execute("SELECT count(*) FROM cards_person").fetchone() == (0,)
            app.execute("SET sheka.scope = 'o000000'")
            assert app.execute("SELECT count(*) FROM cards_person").fetchone() == (people,)
        with psycopg.connect(cluster.dsn(target, "sheka_app")) as app, pytest.raises(errors.InsufficientPrivilege):
            app.execute("UPDATE audit_event SET actor = ''")
        with psycopg.connect(cluster.dsn(target, "postgres")) as administrator:
            assert administrator.execute("SELECT count(*) FROM accounts_entry").fetchone() == (2 * len(bank.accounts),)
            assert {check.name.en: administrator.execute(check.query).fetchall() for check in CHECKS} == {
                check.name.en: [] for check in CHECKS
            }
            (following,) = administrator.execute("SELECT nextval('accounts_posting_id')").fetchone()
            assert (following,) > administrator.execute("SELECT max(posting_id) FROM accounts_entry").fetchone()
    finally:
        cluster.drop_database(target)


def test_the_progress_of_an_exchange_is_told_to_who_knows_both_numbers(entered, bank):
    """Wrong number, wrong check, nothing at all: the same answer."""
    card = bank.cards[0]
    number, check = "HK2026000001", card.person.social_security_number[-4:]
    columns = {
        "number": number,
        "ground": "damaged",
        "state": "ready",
        "fee_fen": 0,
        "fee_working": "{}",
        "applied_at": timezone.now(),
        "applied_on": date(2026, 11, 2),
        "due_on": date(2026, 11, 11),
        "due_provisional": False,
        "due_strip": "[]",
        "proof_number": "P1",
        "proof_to": date(2026, 12, 2),
        "by": "test",
        "ready_at": timezone.now() - timedelta(days=1),
        "person_id": card.person_id,
        "old_card_id": card.pk,
        "new_card_id": bank.cards[1].pk,
        "outlet_id": "460100",
        **dict.fromkeys(
            ("proxy_name", "proxy_number", "proxy_relation", "fee_receipt", "collected_by", "not_returned_reason"), ""
        ),
        "cancel_reason": "",
    }
    entered("postgres").execute(
        f"INSERT INTO cards_exchangecase ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
        list(columns.values()),
    )
    enquiry = entered("enquiry")
    asked = "SELECT state, due_on, due_provisional FROM cards_exchange_progress(%s, %s)"
    assert enquiry.execute(asked, [number, check.lower()]).fetchall() == [("ready", date(2026, 11, 11), False)]
    for wrong in ((number, "0000" if check != "0000" else "1111"), ("HK0", check), (number, ""), (None, None)):
        assert enquiry.execute(asked, wrong).fetchall() == []


def test_a_folder_of_three_roles_is_upgraded_at_the_start(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old")
    for one in (folder, folder.parent, folder.parent.parent):
        one.chmod(0o711)
    old = PostgresCluster(folder / "postgres", settings={"fsync": "off"})
    old.start()
    try:
        old.create_database("sheka")
        with old.administrator("sheka") as administrator:
            for role in ("sheka_switch", "sheka_enquiry", "sheka_auditor", "sheka_backup"):
                administrator.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    finally:
        old.stop()
    path = folder / "postgres" / "passwords.json"
    before = json.loads(path.read_text())
    kept = {name: before[name] for name in ("postgres", "sheka_owner", "sheka_app")}
    path.write_text(json.dumps(kept))
    new = PostgresCluster(folder / "postgres", settings={"fsync": "off"})
    new.start()
    try:
        assert new.ensure_database("sheka") is False
        assert {name: new.passwords[name] for name in kept} == kept
        assert path.stat().st_mode & 0o077 == 0
        for role in (one for one in ROLES if one.enters):
            with psycopg.connect(new.dsn("sheka", role.name)) as connection:
                assert connection.execute("SELECT session_user").fetchone() == (role.name,)
    finally:
        new.stop()
        new.remove()


def test_the_script_for_another_cluster_makes_roles_and_database_and_may_run_again(test_cluster):
    """Run on the plain cluster by psql, as an administrator would."""
    name = "elsewhere"
    given = test_cluster.parameters("postgres", "postgres")
    psql = [test_cluster.installation.bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", "-U", "postgres"]
    psql += ["-h", given["host"], "-p", given["port"], "postgres"]
    try:
        for _ in range(2):
            environment = {"PGPASSWORD": given["password"]}
            subprocess.run(psql, input=script(name), text=True, check=True, env=environment, timeout=60)
        with psycopg.connect(test_cluster.dsn(name, "sheka_owner"), autocommit=True) as owner:
            owner.execute("CREATE TABLE account (id int)")
        with psycopg.connect(test_cluster.dsn(name, "sheka_app"), autocommit=True) as app:
            app.execute("INSERT INTO account VALUES (1)")
            with pytest.raises(errors.InsufficientPrivilege):
                app.execute("TRUNCATE account")
        with psycopg.connect(test_cluster.dsn(name, "sheka_backup")) as backup:
            assert backup.execute("SELECT id FROM account").fetchall() == [(1,)]
        with (
            psycopg.connect(test_cluster.dsn(name, "sheka_enquiry")) as enquiry,
            pytest.raises(errors.InsufficientPrivilege),
        ):
            enquiry.execute("SELECT id FROM account")
    finally:
        test_cluster.drop_database(name)
