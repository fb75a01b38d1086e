"""The proof of the books (S6): whatever is changed behind the ledger's back is found, by command and every night."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from tests.support.payments import CITY, make_cards
from typer.testing import CliRunner

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.jobs.models import PeriodicRun
from sheka.office.jobs.queue import take_turn
from sheka.office.jobs.registry import turns
from sheka.office.operations.health.checks import GOOD, STILL, STOP, WAIT
from sheka.office.staff.actors import Actor
from sheka.systems.accounts import health
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.actions.verify_books import verify_books
from sheka.systems.accounts.models import OF_THE_SWITCH, EntryKind, Kind, Verb
from sheka.systems.accounts.posting import Item, post
from sheka.systems.accounts.proofs import CHECKS, names, verify_ledger
from sheka.systems.accounts.turns import VERIFY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S6"), pytest.mark.req("C2")]
TABLES = ("accounts_entry", "accounts_transfer", "accounts_pending", "accounts_pending_end", "accounts_account")


@pytest.fixture
def books(tree):
    """One of everything: a booking, a hold that is open, one posted in part, one voided, a chain."""
    officer = Actor.process("test", CITY)
    fund = open_party_account(officer, kind=Kind.FUND, party="310")
    open_party_account(officer, kind=Kind.SUSPENSE, party="elsewhere")
    one, other = open_accounts(officer, person_ids=[card.person_id for card in make_cards(tree[CITY], 2)])

    def item(debit, credit, amount, **more):
        return Item(uuid.uuid4(), EntryKind.TRANSFER, debit, credit, amount, **more)

    later = timezone.now() + timedelta(hours=1)
    posted = post(
        officer,
        [
            item(fund, one, 1000),
            item(one, other, 10, pending=True, expires_at=later),
            item(one, other, 20, pending=True),
            item(one, None, 30, pending=True),
            item(one, other, 5, linked=True),
            item(other, fund, 5),
        ],
    )
    ended = post(
        officer,
        [
            item(None, None, 15, of=posted[2].posting, verb=Verb.POST),
            item(None, None, 0, of=posted[3].posting, verb=Verb.VOID),
        ],
    )
    assert all(answer.done for answer in [*posted, *ended])
    assert verify_ledger() == []
    return {
        "account": one.pk,
        "fund": fund.pk,
        "open": posted[1].posting,
        "posted": posted[2].posting,
        "chain": posted[4].client_id,
    }


MOVING = (
    "INSERT INTO accounts_moving (reference, side, organisation_id, other, account_id, other_account, amount, document,"
    " state, made_at) VALUES (gen_random_uuid(), 'out', '460100', '460200', %(account)s, '', 5, '', 'sent', now())"
)
TAMPERING = {
    "UPDATE accounts_account SET balance = balance + 1 WHERE id = %(account)s": "each balance",
    "UPDATE accounts_account SET held = held + 1 WHERE id = %(account)s": "each held sum",
    "UPDATE accounts_entry SET amount = amount + 1 WHERE account_id = %(account)s": "each posting",
    "DELETE FROM accounts_entry WHERE account_id = %(account)s": "the sum of all entries",
    "UPDATE accounts_entry SET balance_after = 7 WHERE account_id = %(account)s": "each running balance",
    "UPDATE accounts_entry SET account_id = 99999 WHERE account_id = %(account)s": "each account",
    "UPDATE accounts_entry SET balance_after = NULL WHERE account_id = %(account)s": "each account",
    "UPDATE accounts_transfer SET amount = 1 WHERE credit_id = %(account)s": "each transfer",
    "UPDATE accounts_entry SET account_id = (SELECT id FROM accounts_account WHERE party = 'elsewhere')"
    " WHERE account_id = %(fund)s AND amount < 0": "each transfer",
    "DELETE FROM accounts_transfer WHERE credit_id = %(account)s": "each document",
    "DELETE FROM accounts_transfer WHERE chain = %(chain)s AND client_id <> chain": "each chain",
    "DELETE FROM accounts_pending WHERE id = %(open)s": "what is open",
    "UPDATE accounts_pending SET amount = 9 WHERE id = %(open)s": "each hold",
    "DELETE FROM accounts_pending_open WHERE pending_id = %(open)s": "what is open",
    "UPDATE accounts_pending_end SET amount = 16 WHERE pending_id = %(posted)s": "each end",
    "DELETE FROM accounts_pending_end WHERE pending_id = %(posted)s": "each hold",
    "UPDATE accounts_pending SET amount = 14 WHERE id = %(posted)s": "each end",
    MOVING: "each transit account",
    "INSERT INTO accounts_latemoney (organisation_id, account_id, amount, posting, cause, state, at)"
    " VALUES ('460100', %(account)s, 5, 1, 1, 'waiting', now())": "money after an end",
    "INSERT INTO accounts_payout (number, organisation_id, account_id, reason, amount, payee, bank, bank_account,"
    " document, posting, proposal, by, at) VALUES ('Z', '460100', %(account)s, 'closing', 5, '', '', '', '', %(open)s,"
    " gen_random_uuid(), '', now())": "each payment out",
    "INSERT INTO accounts_correction (organisation_id, original, contra, amount, reason, proposal, by, at)"
    " VALUES ('460100', %(open)s, %(posted)s, 5, '', gen_random_uuid(), '', now())": "each correction",
    "ALTER TABLE accounts_account DROP CONSTRAINT accounts_account_available;"
    " UPDATE accounts_account SET held = balance + 1 WHERE id = %(account)s": "no overdraft",
}


def test_whatever_is_changed_behind_the_ledger_is_found(books, superuser):
    with superuser() as administrator:
        administrator.autocommit = False
        for change, finder in TAMPERING.items():
            for table in TABLES:
                administrator.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            for one in change.split(";"):
                administrator.execute(one, books)
            found = {check.name.en for check in CHECKS if administrator.execute(check.query).fetchall()}
            assert finder in found, change
            administrator.rollback()
    assert set(TAMPERING.values()) == {check.name.en for check in CHECKS}
    assert verify_ledger() == []


def broken(books, superuser):
    with superuser() as administrator:
        administrator.execute("UPDATE accounts_account SET balance = balance + 1 WHERE id = %(account)s", books)


def test_the_verb_takes_every_check_of_every_system_and_is_audited(books, superuser, appoint):
    auditor = appoint("auditor", CITY, "auditor")
    checks = verify_books(auditor)
    assert [check.name for check in checks] == names()
    assert {"each card transaction", "each seal"} <= {check.name.en for check in checks}
    assert all(check.holds for check in checks)
    broken(books, superuser)
    assert [check.name.en for check in verify_books(auditor) if not check.holds] == ["each balance"]
    events = Event.objects.filter(subject="ledger:node").order_by("sequence").values_list("event", "actor")
    assert list(events) == [("ledger.verified", auditor.name), ("ledger.broken", auditor.name)]
    with pytest.raises(Refused) as refusal:
        verify_books(appoint("officer", CITY, "account_officer"))
    assert refusal.value.code is Code.PERMISSION_MISSING


def test_the_nightly_turn_raises_the_alarm_on_the_page_of_health(books, superuser):
    assert [check.state for check in health.ledger()] == [STILL]
    turn = turns()[VERIFY]
    now = timezone.now()
    take_turn(turn, int(now.timestamp()))
    assert [check.state for check in health.ledger()] == [GOOD]
    PeriodicRun.objects.filter(name=VERIFY).update(started_at=now - timedelta(days=3))
    assert [check.state for check in health.ledger()] == [WAIT]
    broken(books, superuser)
    take_turn(turn, int(now.timestamp()))
    (alarm,) = health.ledger()
    assert alarm.state == STOP
    assert "each balance" not in alarm.text.en
    assert "entries 980" in alarm.text.en
    assert [check.state for check in health.held()] == [GOOD]
    with superuser() as administrator:
        administrator.execute("UPDATE accounts_pending_open SET expires_at = now() - interval '1 minute'")
    assert [check.state for check in health.held()] == [WAIT]


def test_the_command_says_it_in_a_table_and_in_json_and_by_its_status(books, superuser, monkeypatch):
    from sheka.faces.cli import ledger

    monkeypatch.setattr(ledger, "open_node", lambda _config: settings.NODE)
    run = CliRunner().invoke(ledger.app, ["verify"])
    assert run.exit_code == 0, run.output
    assert "the ledger holds" in run.output
    report = json.loads(CliRunner().invoke(ledger.app, ["verify", "--json"]).output)
    assert report["holds"]
    assert len(report["checks"]) == len(names())
    broken(books, superuser)
    run = CliRunner().invoke(ledger.app, ["verify"])
    assert run.exit_code == 1
    assert "each balance" in run.output
    run = CliRunner().invoke(ledger.app, ["verify", "--json"])
    assert run.exit_code == 1
    assert not json.loads(run.output)["holds"]


def test_the_query_knows_which_entries_come_from_the_switch():
    (document,) = [check for check in CHECKS if check.name.en == "each document"]
    assert f"NOT IN ({', '.join(str(int(kind)) for kind in OF_THE_SWITCH)})" in document.query
