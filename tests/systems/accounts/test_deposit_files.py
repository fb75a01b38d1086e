"""The monthly allocation: a file is checked as a whole, booked in chunks, once, and goes on after a kill (S6)."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.support.account_files import deposit_file, policy_copy
from tests.support.payments import CITY, make_cards

from sheka.equipment.server.node import node_environment
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.jobs.models import JobRun
from sheka.office.jobs.runner import perform
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.queries import person_of
from sheka.systems.accounts.actions.book_deposit_file import book_deposit_file, book_deposit_lines
from sheka.systems.accounts.actions.change_state import freeze_account, release_account
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.actions.receive_deposit_file import (
    check_deposit_file,
    receive_deposit_file,
    release_deposit_file,
    take_deposit_file,
    withdraw_deposit_file,
)
from sheka.systems.accounts.deposit_file import DepositReader
from sheka.systems.accounts.models import DepositFile, Kind, Transfer
from sheka.systems.accounts.queries import balance, verify_ledger

pytestmark = [pytest.mark.django_db, pytest.mark.req("S6")]


@pytest.fixture
def officer(appoint):
    return appoint("accounts", CITY, "account_officer")


@pytest.fixture
def supervisor(appoint):
    return appoint("supervisor", CITY, "account_supervisor")


@pytest.fixture
def fund(tree):
    return open_party_account(Actor.process("test", CITY), kind=Kind.FUND, party="310")


@pytest.fixture
def accounts(tree, fund):
    people = [card.person_id for card in make_cards(tree[CITY], 4)]
    return open_accounts(Actor.process("test", CITY), person_ids=people)


def lines(accounts, amount=500):
    return [(account.number, amount + place, "202611") for place, account in enumerate(accounts)]


def checked(actor, content, number="f.txt") -> DepositFile:
    row = receive_deposit_file(actor, name=number, content=content)
    return check_deposit_file(actor, number=row.number)


def fault_of(actor, content) -> int:
    row = checked(actor, content)
    assert row.state == "refused"
    assert row.content is None
    return row.fault["code"]


def test_a_file_is_checked_released_and_booked_once(officer, accounts, fund):
    content = deposit_file(lines(accounts))
    row = receive_deposit_file(officer, name="2026-11.txt", content=content)
    assert (row.state, JobRun.objects.get(pk=row.job).name) == ("received", "accounts.check_deposit_file")
    row = check_deposit_file(officer, number=row.number)
    assert (row.state, row.lines, row.total, row.refused) == ("ready", 4, 2006, 0)
    assert [balance(account) for account in accounts] == [0, 0, 0, 0]
    row = release_deposit_file(officer, number=row.number)
    row = book_deposit_file(officer, row.number)
    assert (row.state, row.booked, row.booked_total) == ("booked", 4, 2006)
    assert [balance(account) for account in accounts] == [500, 501, 502, 503]
    assert balance(fund) == -2006
    again = receive_deposit_file(officer, name="again.txt", content=content)
    assert (again.pk, again.state) == (row.pk, "booked")
    assert book_deposit_file(officer, row.number).booked == 4
    assert Transfer.objects.count() == 4
    packed = receive_deposit_file(officer, name="again.gz", content=deposit_file(lines(accounts), packed=True))
    assert packed.pk == row.pk, "the same file, compressed"
    assert verify_ledger() == []


def test_the_senders_number_stands_for_one_content(officer, accounts):
    first = checked(officer, deposit_file(lines(accounts)))
    with pytest.raises(Refused) as refusal:
        checked(officer, deposit_file(lines(accounts, 900)))
    assert refusal.value.code is Code.DEPOSIT_FILE_NUMBER
    withdraw_deposit_file(officer, number=first.number, reason="发错文件")
    assert checked(officer, deposit_file(lines(accounts, 900))).state == "ready"
    with pytest.raises(Refused) as refusal:
        release_deposit_file(officer, number=first.number)
    assert refusal.value.code is Code.STATE_FORBIDS


def test_wrong_lines_are_named_and_nothing_is_booked(officer, accounts):
    number = accounts[0].number
    freeze_account(Actor.process("test", CITY), number=accounts[3].number, reason="court order")
    wrong = [
        (number, 100, "a"),
        ("310460100000009999999", 100, "a"),
        (accounts[1].number, 0, "a"),
        (number, 100, "a"),
        (accounts[3].number, 100, "a"),
        (accounts[2].number, 100_000_001, "a"),
        (accounts[2].number, 5, "a|b"),
    ]
    row = checked(officer, deposit_file(wrong))
    assert (row.state, row.fault["code"], row.lines, row.refused) == ("refused", Code.DEPOSIT_FILE_LINES.value, 7, 6)
    named = list(row.rows.values_list("line", "refusal"))
    assert named == [(3, 4301), (4, 4306), (5, 4335), (6, 4302), (7, 4306), (8, 4334)]
    assert all("…" in one.subject for one in row.rows.all())
    assert Transfer.objects.count() == 0
    right = deposit_file([(number, 100, "a")])
    assert checked(officer, right).state == "ready", "a refused file does not use its number up"


def test_the_good_lines_are_booked_where_the_policy_says_so(officer, accounts, tmp_path, monkeypatch):
    policy_copy(tmp_path, monkeypatch, "accounts.toml", '"refuse_file"', '"skip"')
    row = checked(officer, deposit_file([*lines(accounts), ("310460100000009999999", 100, "x")]))
    assert (row.state, row.refused, row.refused_total, row.due) == ("ready", 1, 100, 2006)
    release_deposit_file(officer, number=row.number)
    assert book_deposit_file(officer, row.number).booked_total == 2006
    assert checked(officer, deposit_file([("310460100000009999999", 7, "y")], "M2")).fault["code"] == 4310


def test_a_torn_or_altered_file_is_refused_whole(officer, accounts):
    whole = deposit_file(lines(accounts))
    body, _, trailer = whole.rstrip(b"\n").rpartition(b"\n")
    cases = (
        (body + b"\n", Code.DEPOSIT_FILE_TRAILER),
        (body.rpartition(b"\n")[0] + b"\n" + trailer + b"\n", Code.DEPOSIT_FILE_TRAILER),
        (whole.replace(b"|500|", b"|501|").replace(b"|2006|", b"|2007|"), Code.DEPOSIT_FILE_DIGEST),
        (whole.replace(b"|500|", b"|501|"), Code.DEPOSIT_FILE_TRAILER),
        (whole + b"D|1|1|\n", Code.DEPOSIT_FILE_TRAILER),
        (body + b"\n" + b"D|" + b"9" * 500 + b"\n" + trailer, Code.DEPOSIT_FILE_SIZE),
        (deposit_file(lines(accounts), packed=True)[:-30], None),
    )
    for content, code in cases:
        if code is None:
            with pytest.raises(Refused) as refusal:
                checked(officer, content)
            assert refusal.value.code is Code.DEPOSIT_FILE_SIZE
        else:
            assert fault_of(officer, content) == code.value
    for header, code in (
        (b"H|1|460100|310|310|202611|M1\n", Code.DEPOSIT_FILE_HEADER),
        (b"H|2|460100|310|310|202613|M1\n", Code.DEPOSIT_FILE_HEADER),
        (b"H|2|460200|310|310|202611|M1\n", Code.ORGANISATION_OUT_OF_REACH),
        (b"H|2|460100|999|310|202611|M1\n", Code.DEPOSIT_FILE_HEADER),
        (b"", Code.DEPOSIT_FILE_HEADER),
    ):
        with pytest.raises(Refused) as refusal:
            checked(officer, header)
        assert refusal.value.code is code
    assert Transfer.objects.count() == 0


def test_two_accounts_of_one_person_are_no_two_people(officer, accounts, appoint):
    row = checked(officer, deposit_file([(accounts[0].number, 10_000_000, "a")]))
    again = appoint("officer-again", CITY, "account_officer")
    StaffMember.objects.filter(pk=again.staff_id).update(person_id=person_of(officer.staff_id))
    with pytest.raises(Refused) as refusal:
        release_deposit_file(again, number=row.number)
    assert refusal.value.code is Code.DEPOSIT_FILE_SECOND_PERSON


@pytest.mark.parametrize(("spoiled", "seen"), [(b"\xef\xbb\xbf%s", "[BOM]H|2|"), (b"%s\r", "\u240d")])
def test_what_cannot_be_seen_in_the_first_line_is_shown(officer, spoiled, seen):
    """An editor of Windows adds them, and the line looks right to who is told that it is wrong."""
    with pytest.raises(Refused) as refusal:
        checked(officer, spoiled % b"H|2|460100|310|310|202611|M1" + b"\n")
    assert refusal.value.code is Code.DEPOSIT_FILE_HEADER
    assert seen in refusal.value.text("en") and "UTF-8" in refusal.value.todo("en")


def test_a_large_file_is_released_by_somebody_else(officer, supervisor, accounts, appoint):
    row = checked(officer, deposit_file([(accounts[0].number, 10_000_000, "a")]))
    with pytest.raises(Refused) as refusal:
        release_deposit_file(officer, number=row.number)
    assert refusal.value.code is Code.DEPOSIT_FILE_SECOND_PERSON
    assert release_deposit_file(supervisor, number=row.number).state == "booking"
    sanya = appoint("sanya", "460200", "account_officer")
    for verb in (check_deposit_file, release_deposit_file, book_deposit_lines):
        with pytest.raises(Refused) as refusal:
            verb(sanya, number=row.number)
        assert refusal.value.code is Code.DEPOSIT_FILE_UNKNOWN
    auditor = appoint("auditor", CITY, "auditor")
    with pytest.raises(Refused) as refusal:
        book_deposit_lines(auditor, number=row.number)
    assert refusal.value.code is Code.PERMISSION_MISSING


def test_what_was_frozen_between_check_and_booking_is_refused_in_its_line(officer, accounts):
    row = checked(officer, deposit_file(lines(accounts)))
    freeze_account(Actor.process("test", CITY), number=accounts[1].number, reason="court order")
    release_deposit_file(officer, number=row.number)
    row = book_deposit_file(officer, row.number)
    assert (row.state, row.booked, row.refused, row.booked_total) == ("booked", 3, 1, 1505)
    assert list(row.rows.exclude(refusal=0).values_list("line", "refusal")) == [(3, Code.ACCOUNT_NOT_OPEN.value)]
    assert verify_ledger() == []


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.integers(0, 200))
def test_no_bytes_break_the_reader(content, cut):
    whole = deposit_file([("310460100000000000001", 5, "a")] * 3)
    torn = whole[:cut] + content + whole[cut + len(content) :]
    try:
        reader = DepositReader(io.BytesIO(torn), most_lines=100)
        items = list(reader)
    except Refused:
        return
    assert (reader.count, reader.total) == (len(items), sum(one.amount for one in items))


def test_the_digest_is_that_of_everything_before_the_trailer():
    whole = deposit_file([("310460100000000000001", 5, "ä")])
    reader = DepositReader(io.BytesIO(whole), most_lines=9)
    assert [one.amount for one in reader] == [5]
    assert reader.digest == sm3(whole[: whole.rindex(b"T|")]).hex() == whole.decode().strip().rpartition("|")[2]


CHILD = """
import sys, django
django.setup()
from sheka.office.scope import whole_node
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.systems.accounts.actions.book_deposit_file import book_deposit_file
with whole_node("a test"):
    book_deposit_file(Actor.process("test", "460100"), sys.argv[1], lambda done, total: print(done, flush=True))
"""


@pytest.mark.django_db(transaction=True)
def test_five_thousand_lines_killed_in_the_middle_are_all_booked_once(tree, tmp_path, monkeypatch):
    """kill -9 between two chunks and inside one; another process goes on; every account has its amount once."""
    policy_copy(tmp_path, monkeypatch, "accounts.toml", "chunk = 2_000", "chunk = 250")
    node = Actor.process("test", CITY)
    fund = open_party_account(node, kind=Kind.FUND, party="310")
    people = [card.person_id for card in make_cards(tree[CITY], 1000)]
    accounts = open_accounts(node, person_ids=people)
    wanted = [(account.number, 1 + place, f"r{turn}") for turn in range(5) for place, account in enumerate(accounts)]
    source = io.BytesIO(deposit_file(wanted))
    row, fresh = take_deposit_file(node, name="big.txt", source=source)
    assert fresh
    row = check_deposit_file(node, number=row.number, source=source)
    assert (row.state, row.lines) == ("ready", 5000)
    release_deposit_file(Actor.process("other", CITY), number=row.number, background=False)
    environment = {**os.environ, **node_environment(settings.NODE)}
    for chunks in (2, 5):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, row.number], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(chunks):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.communicate()
    row.refresh_from_db()
    assert 0 < row.booked < 5000
    row = book_deposit_file(node, row.number)
    assert (row.state, row.booked, row.booked_total) == ("booked", 5000, row.total)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT client_id), sum(amount) FROM accounts_transfer")
        assert cursor.fetchone() == (5000, 5000, row.total)
    assert [balance(account) for account in accounts[:3]] == [5, 10, 15]
    assert balance(fund) == -row.total
    assert verify_ledger() == []


def test_what_another_file_of_the_period_pays_is_not_paid_again(officer, accounts):
    """The same allocation under another name and number, in another order, one amount changed: each line is named."""
    first = checked(officer, deposit_file(lines(accounts)))
    again = [(number, amount, "") for number, amount, _ in lines(accounts)[::-1]]  # no reference: that of the period
    again[1] = (again[1][0], again[1][1] + 1, again[1][2])
    for _ in ("while it waits", "when it is booked"):
        row = checked(officer, deposit_file(again, "M2"))
        assert (row.state, row.fault["code"]) == ("refused", Code.DEPOSIT_FILE_LINES.value)
        named = [(line, Code.DEPOSIT_LINE_TWICE.value) for line in (2, 3, 4, 5)]
        assert list(row.rows.values_list("line", "refusal")) == named
        if first.state == "ready":
            release_deposit_file(officer, number=first.number)
            first = book_deposit_file(officer, first.number)
    assert checked(officer, deposit_file([(one[0], 1, "补划") for one in again], "M3")).state == "ready"
    assert [balance(account) for account in accounts] == [500, 501, 502, 503]


def test_a_file_that_was_withdrawn_or_refused_in_a_line_stands_in_nobodys_way(officer, accounts):
    withdraw_deposit_file(officer, number=checked(officer, deposit_file(lines(accounts))).number, reason="发错文件")
    row = checked(officer, deposit_file(lines(accounts), "M2"))
    freeze_account(Actor.process("test", CITY), number=accounts[1].number, reason="court order")
    release_deposit_file(officer, number=row.number)
    assert book_deposit_file(officer, row.number).refused == 1
    release_account(Actor.process("test", CITY), number=accounts[1].number, reason="released")
    assert checked(officer, deposit_file(lines(accounts)[1:2], "M3")).state == "ready"


def test_an_amount_that_is_no_whole_number_of_fen_is_refused_in_its_line(officer, accounts):
    wrong = ["１００", "0.005", "-0", "-5", "1e3", "+1", "0x10", "1,000", "20261101.0", "100\r", str(2**63), "", " 100"]
    body = deposit_file([(accounts[0].number, 7, "a")]).rpartition(b"T|")[0]
    body += b"".join(f"D|{accounts[1].number}|{text}|b\n".encode() for text in wrong)
    total = 7 + sum(int(text) for text in wrong if text.isascii() and text.isdigit() and len(text) < 16)
    row = checked(officer, body + f"T|{1 + len(wrong)}|{total}|{sm3(body).hex()}\n".encode())
    assert (row.state, row.fault["code"]) == ("refused", Code.DEPOSIT_FILE_LINES.value)
    named = [(line, Code.DEPOSIT_LINE_FORM.value) for line in range(3, 3 + len(wrong))]
    assert list(row.rows.values_list("line", "refusal")) == named


def test_what_an_editor_adds_is_refused_before_anything_is_kept(officer, accounts):
    content = deposit_file(lines(accounts))
    for changed in (b"\xef\xbb\xbf" + content, content.replace(b"\n", b"\r\n")):
        with pytest.raises(Refused) as refusal:
            receive_deposit_file(officer, name="f", content=changed)
        assert refusal.value.code is Code.DEPOSIT_FILE_HEADER
    assert not DepositFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_released_is_booked_although_who_released_it_has_left(officer, supervisor, accounts):
    """Half of an allocation would else stay unpaid: nobody could take the booking over."""
    row = receive_deposit_file(officer, name="f", content=deposit_file(lines(accounts)))
    for state, verb in (("ready", release_deposit_file), ("booked", None)):
        StaffMember.objects.filter(pk__in=(officer.staff_id, supervisor.staff_id)).update(is_active=False)
        run = JobRun.objects.get(pk=row.job)
        perform(run.pk, run.queue_id)
        row.refresh_from_db()
        assert row.state == state
        if verb:
            row = verb(supervisor, number=row.number)
    assert row.booked == 4
    released = Event.objects.get(event="deposit_file.released")
    assert (released.actor, released.staff_id) == (supervisor.name, supervisor.staff_id)
