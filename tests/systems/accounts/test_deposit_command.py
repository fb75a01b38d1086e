"""`sheka ledger deposit` (S6): allowed, denied, wrong totals, killed and typed again, the same file twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import connection
from tests.support.account_files import deposit_file, policy_copy
from tests.support.payments import CITY, make_cards
from typer.testing import CliRunner

from sheka.equipment.server.node import node_environment
from sheka.faces.cli.main import application
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.actions.receive_deposit_file import release_deposit_file
from sheka.systems.accounts.models import DepositFile, Kind, Transfer
from sheka.systems.accounts.queries import balance, verify_ledger

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S6")]


def accounts_of(tree, count):
    node = Actor.process("test", CITY)
    open_party_account(node, kind=Kind.FUND, party="310")
    return open_accounts(node, person_ids=[card.person_id for card in make_cards(tree[CITY], count)])


def typed(path, *options):
    """What the command answers: its facts, or the refusal that it ends with."""
    done = CliRunner().invoke(application(), ["ledger", "deposit", str(path), "--json", *options])
    facts = json.loads(done.stdout) if done.stdout.strip().startswith("{") else {}
    return facts, done.exception if isinstance(done.exception, Refused) else None


def test_a_file_is_checked_then_released_and_the_same_file_again_books_nothing(tree, tmp_path):
    accounts = accounts_of(tree, 2)
    path = tmp_path / "november.txt"
    lines = [(one.number, 500, "202611") for one in accounts]
    path.write_bytes(deposit_file(lines))
    facts, _ = typed(path)
    assert (facts["state"], facts["lines"], facts["total"], facts["booked"]) == ("ready", 2, 1000, 0)
    assert balance(accounts[0]) == 0, "checked only"
    for name, packed in (("november.txt", False), ("copy.txt.gz", True)):
        other = tmp_path / name
        other.write_bytes(deposit_file(lines, packed=packed))
        facts, _ = typed(other, "--release")
        assert (facts["state"], facts["booked"], facts["booked_total"]) == ("booked", 2, 1000)
    assert (DepositFile.objects.count(), Transfer.objects.count(), balance(accounts[0])) == (1, 2, 500)


def test_wrong_totals_wrong_lines_and_another_content_book_nothing(tree, tmp_path):
    accounts = accounts_of(tree, 1)
    path = tmp_path / "file.txt"
    right = deposit_file([(accounts[0].number, 500, "202611")])
    for content, code in (
        (right.replace(b"T|1|500|", b"T|1|501|"), Code.DEPOSIT_FILE_TRAILER),
        (right.replace(b"T|1|", b"T|2|"), Code.DEPOSIT_FILE_TRAILER),
        (right.replace(b"|500|", b"|600|"), Code.DEPOSIT_FILE_DIGEST),
        (deposit_file([("310460100000009999999", 5, "a")], "M2"), Code.DEPOSIT_FILE_LINES),
        (b"no file of deposits\n", Code.DEPOSIT_FILE_HEADER),
    ):
        path.write_bytes(content)
        _, refusal = typed(path, "--release")
        assert refusal is not None and refusal.code is code, (content[:60], refusal)
    path.write_bytes(right)
    assert typed(path)[0]["state"] == "ready"
    path.write_bytes(deposit_file([(accounts[0].number, 7, "202611")]))
    _, refusal = typed(path)
    assert refusal is not None and refusal.code is Code.DEPOSIT_FILE_NUMBER
    assert not Transfer.objects.exists()


def test_above_the_bound_of_the_policy_somebody_else_releases(tree, tmp_path):
    accounts = accounts_of(tree, 1)
    path = tmp_path / "file.txt"
    path.write_bytes(deposit_file([(accounts[0].number, 10_000_000, "202611")]))
    _, refusal = typed(path, "--release")
    assert refusal is not None and refusal.code is Code.DEPOSIT_FILE_SECOND_PERSON
    assert not Transfer.objects.exists()
    release_deposit_file(Actor.process("other", CITY), number=DepositFile.objects.get().number, background=False)
    assert typed(path, "--release")[0]["booked"] == 1, "what another released is booked by the same command"


def test_killed_while_it_checks_and_while_it_books_the_same_command_goes_on(tree, tmp_path, monkeypatch):
    """30,000 lines: kill -9 between reading and ready, and between two chunks; every line is booked once."""
    policy_copy(tmp_path, monkeypatch, "accounts.toml", "chunk = 2_000", "chunk = 1_000")
    accounts = accounts_of(tree, 1000)
    path = tmp_path / "big.txt"
    path.write_bytes(
        deposit_file([(one.number, 1 + place % 7, f"r{n}") for n in range(30) for place, one in enumerate(accounts)])
    )
    command = [sys.executable, "-m", "sheka.faces.cli.main", "ledger", "deposit", str(path), "--release", "--json"]
    environment = {**os.environ, **node_environment(settings.NODE)}

    def begun():
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def killed_when(reached):
        child, deadline = begun(), time.monotonic() + 60
        while not DepositFile.objects.filter(**reached).exists():
            assert child.poll() is None and time.monotonic() < deadline, child.communicate()
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        return DepositFile.objects.get()

    row = killed_when({"state": "received"})
    assert (row.state, row.rows.count(), row.booked) == ("received", 0, 0), "a torn check leaves no line"
    row = killed_when({"booked__gt": 0})
    assert row.state == "booking" and 0 < row.booked < 30_000
    done = begun()
    out, told = done.communicate(timeout=120)
    assert done.returncode == 0, told
    facts = json.loads(out)
    assert (facts["state"], facts["booked"], facts["refused"]) == ("booked", 30_000, 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT client_id), sum(amount) FROM accounts_transfer")
        assert cursor.fetchone() == (30_000, 30_000, facts["total"])
    assert [balance(one) for one in accounts[:8]] == [30 * (1 + place % 7) for place in range(8)]
    assert verify_ledger() == []
