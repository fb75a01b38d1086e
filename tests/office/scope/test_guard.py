"""No start where the database would not hold: each fault is made in a real database, each process refuses by number."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import psycopg
import pytest

from sheka.equipment.server.node import NodeConfig, node_environment
from sheka.foundation.protection import judge, question
from sheka.foundation.refusals import Code, Refused, sentence
from sheka.office.database.guard import KEPT, PUBLISHED, scoped_tables
from sheka.systems.transactions.switch import protection

pytestmark = [pytest.mark.req("H1")]
WEB = (sys.executable, "-c", "import sheka.config.wsgi")
WORKER = (sys.executable, "-m", "sheka.config.worker")
SWITCH = (sys.executable, "-m", "sheka.systems.transactions.switch", "--port", "0")
OFFICE_ASKS = partial(lambda: question(scoped_tables(), KEPT, PUBLISHED))
SWITCH_ASKS = partial(question, protection.SCOPED, protection.KEPT, protection.PUBLISHED)
STRONG, OPEN, UNKEPT = Code.DATABASE_ROLE_TOO_STRONG, Code.DATABASE_TABLE_OPEN, Code.DATABASE_TRIGGER_MISSING
FAULTS = (
    ("ALTER TABLE cards_person NO FORCE ROW LEVEL SECURITY", OPEN, "cards_person", (WEB,)),
    ("ALTER TABLE cards_card DISABLE ROW LEVEL SECURITY", OPEN, "cards_card", (WORKER, SWITCH)),
    ("DROP POLICY accounts_account_scope ON accounts_account;"
     "DROP POLICY accounts_account_sheka_ledger ON accounts_account",
     OPEN, "accounts_account", (SWITCH,)),
    ("CREATE POLICY away ON staff_staffmember USING (true)", OPEN, "staff_staffmember", (WEB,)),
    ("CREATE POLICY away ON cards_card TO sheka_switch USING (true)", OPEN, "cards_card", (SWITCH,)),
    ("ALTER TABLE audit_event DISABLE TRIGGER audit_event_append_only", UNKEPT, "audit_event_append_only", (WORKER,)),
    ("DROP TRIGGER audit_event_append_only ON audit_event", UNKEPT, "audit_event_append_only", (WEB,)),
    ("ALTER TABLE transactions_seal ENABLE REPLICA TRIGGER transactions_seal_append_only",
     UNKEPT, "transactions_seal_append_only", (SWITCH,)),
)  # fmt: skip


@pytest.fixture
def start(tmp_path) -> Callable[..., tuple[int, str]]:
    """start(command, node, **addresses) → exit status, what it said; with addresses the database is an outside one."""

    def run(command: tuple[str, ...], node: NodeConfig, **addresses: str) -> tuple[int, str]:
        environment = {**os.environ, **node_environment(node)}
        if addresses:
            (tmp_path / "secrets.toml").write_text(
                (node.folder / "secrets.toml").read_text()
                + "\n[database]\n"
                + "".join(f'{role} = "{address}"\n' for role, address in addresses.items())
            )
            (tmp_path / "secrets.toml").chmod(0o600)
            written = node.path.read_text().replace("[database]\n", '[database]\nmode = "external"\n')
            (tmp_path / "node.toml").write_text(written)
            environment["SHEKA_NODE"] = str(tmp_path / "node.toml")
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)
        return done.returncode, done.stderr

    return run


def _refuses(answer: tuple[int, str], code: Code, fact: str) -> None:
    status, said = answer
    assert status == 1, said
    assert f"{code.value} " in said
    assert fact in said
    assert sentence(code).zh.split("{")[0] in said
    assert "Traceback" not in said


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fault", "code", "fact", "processes"), FAULTS, ids=[fault[:60] for fault, *_ in FAULTS])
def test_every_fault_is_seen_by_the_processes_that_it_would_hurt(entered, fault, code, fact, processes):
    for process in processes:
        role, asked = ("sheka_switch", SWITCH_ASKS) if process is SWITCH else ("sheka_app", OFFICE_ASKS)
        administrator = entered("postgres")
        with pytest.raises(Refused) as refused, administrator.transaction():
            administrator.execute(fault)
            administrator.execute(f"SET LOCAL SESSION AUTHORIZATION {role}")
            judge(administrator.execute(asked()).fetchone())
        assert (refused.value.code, refused.value.facts.popitem()[1]) == (code, fact)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("who", "fact"),
    [("postgres", "a superuser"), ("owner", "it owns the tables"), ("backup", "it bypasses row-level security")],
)
def test_a_connection_that_gets_past_the_policies_is_refused(entered, who, fact):
    for asked in (OFFICE_ASKS, SWITCH_ASKS):
        with pytest.raises(Refused) as refused:
            judge(entered(who).execute(asked()).fetchone())
        assert (refused.value.code, refused.value.facts["reason"].text("en")) == (STRONG, fact)


@pytest.mark.django_db(transaction=True)
def test_a_role_that_may_become_a_stronger_one_is_as_strong(entered):
    administrator = entered("postgres")
    with pytest.raises(Refused) as refused, administrator.transaction():
        administrator.execute("GRANT sheka_backup TO sheka_app")
        administrator.execute("SET LOCAL SESSION AUTHORIZATION sheka_app")
        judge(administrator.execute(OFFICE_ASKS()).fetchone())
    assert refused.value.code is STRONG


@pytest.mark.parametrize("process", [WEB, WORKER, SWITCH], ids=["web", "worker", "switch"])
def test_a_database_that_was_opened_starts_no_process(fresh_node, start, process):
    node = fresh_node()
    fault = (
        "DROP TRIGGER audit_event_append_only ON audit_event"
        if process is WEB
        else "ALTER TABLE cards_card NO FORCE ROW LEVEL SECURITY"
    )
    code, fact = (UNKEPT, "audit_event_append_only") if process is WEB else (OPEN, "cards_card")
    with psycopg.connect(node.cluster.dsn(node.file.database.name, "postgres"), autocommit=True) as administrator:
        administrator.execute(fault)
    _refuses(start(process, node), code, fact)


@pytest.mark.parametrize(("process", "who"), [(WEB, "sheka_owner"), (SWITCH, "postgres")], ids=["web", "switch"])
def test_a_connection_that_is_too_strong_starts_no_process(fresh_node, start, process, who):
    node = fresh_node()
    address = node.cluster.dsn(node.file.database.name, who)
    _refuses(start(process, node, app=address, switch=address, owner=address), STRONG, who)


def test_a_whole_database_starts_and_the_switch_is_no_place_for_the_application(fresh_node, start):
    node = fresh_node()
    status, said = start(WEB, node)
    assert status == 0, said
    app = node.dsn("app")
    status, said = start(SWITCH, node, app=app, switch=app, owner=app)
    assert (status, "permission denied" in said) == (1, True)
