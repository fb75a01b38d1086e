"""The journal of the switch: everything that came and went is kept, no PIN and no track ever, and no purchase waits."""

from __future__ import annotations

import re
import socket
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from tests.support.payments import HOSPITAL, SwitchProcess

from sheka.foundation.iso8583 import decode, encode
from sheka.foundation.iso8583.framing import frame
from sheka.foundation.iso8583.prefix import readable_prefix
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.scope import acting_in
from sheka.office.staff.actors import Actor
from sheka.systems.transactions import jobs, retention
from sheka.systems.transactions.actions.drop_messages import days_to_drop, drop_messages
from sheka.systems.transactions.actions.reveal_messages import reveal_messages
from sheka.systems.transactions.queries_of_messages import messages_of
from sheka.systems.transactions.switch.journal import UNREADABLE, Journal, blanked
from sheka.systems.transactions.switch.settings import SwitchSettings
from sheka.systems.transactions.terminal import Terminal
from sheka.systems.transactions.watch_models import SwitchMessage

NUMBER = "460100000001"
PIN_BLOCK = bytes.fromhex("5A17C0DE0FF1CE77")
TRACK_2 = "6217000010012345678D49121200000987"
committing = pytest.mark.django_db(transaction=True)


def send(switch, data: bytes) -> bytes:
    """One message on a line of its own; the answer, or b"" when the line ends."""
    with socket.create_connection((switch.host, switch.port), timeout=10) as line:
        line.sendall(frame(data))
        with suppress(OSError):
            head = line.recv(2)
            return line.recv(int.from_bytes(head)) if head else b""
    return b""


def with_secrets(terminal: Terminal, purchase) -> bytes:
    """The purchase with a PIN block and a track beside what it needs."""
    return terminal.encoded("0200", {**terminal._purchase_fields(purchase), 35: TRACK_2, 52: PIN_BLOCK})


@committing
@pytest.mark.req("S4")
@pytest.mark.req("S10")
def test_what_came_and_went_is_read_field_by_field_and_no_pin_is_kept_anywhere(bank, tree):
    switch = SwitchProcess()
    card = bank.cards[0].number
    with Terminal(switch.host, switch.port, NUMBER, HOSPITAL, bank.mac) as terminal:
        purchase = terminal.new_purchase(card, 12_345)
        paid = terminal.send_purchase(purchase)
        assert paid.approved
        terminal.send_purchase(purchase, repeat=True)
        reversal = terminal.reversal(purchase)
        planted = terminal.new_purchase(card, 500)
        asked = with_secrets(terminal, planted)
        answered = terminal.exchange(asked)
        wrong = asked[:-8] + bytes(8)
        assert decode(terminal.exchange(wrong)).fields[63] == str(Code.MESSAGE_MAC_INVALID.value)
        terminal.sign_on()
    # What cannot be read, with a PIN block where nobody looks for one: behind a field that is broken.
    broken = asked[:20] + b"x" + asked[21:]
    said = send(switch, broken)
    assert decode(said).fields[39] == "30"
    stranger = encode("0200", {**decode(asked).fields, 41: "999999999999"})
    assert decode(send(switch, stranger)).fields[63] == str(Code.TERMINAL_UNKNOWN.value)
    assert send(switch, b"\xff" * 40 + PIN_BLOCK) == b""
    print(switch.stop())  # shown when the test fails

    found = messages_of(bank.actor, NUMBER, purchase.at.date(), purchase.stan)
    assert [(one.request.type, one.refusal) for one in found] == [("0200", 0), ("0201", 0), ("0400", 0)]
    first, _, third = found
    assert first.request.whole
    assert first.answer.whole
    assert (first.request.size, first.answer.size) == (len(paid.sent), len(paid.received))
    assert (first.request.field(62).value, first.request.field(4).meaning.en) == (f"P*****{card[-3:]}", "123.45 yuan")
    assert (first.request.field(3).meaning.zh, first.answer.field(39).meaning.en) == ("消费", "approved")
    assert third.request.field(90).meaning.en.startswith(f"message 0200, trace number {purchase.stan:06d}")
    assert decode(reversal.received).fields[38] == third.answer.field(38).value
    assert 0 < first.microseconds < 10_000_000
    assert first.line.startswith("127.0.0.1:")
    assert first.process.startswith(f"{switch.port}.")
    fourth, fifth = messages_of(bank.actor, NUMBER, planted.at.date(), planted.stan)
    assert (fourth.request.field(52).value, fourth.request.field(35).value) == ("", "")
    assert (fourth.request.size, fourth.answer.field(39).value) == (len(asked), decode(answered).fields[39])
    assert fifth.said.en == "The message authentication code is wrong."

    whole = reveal_messages(
        bank.actor, terminal=NUMBER, business_date=purchase.at.date(), stan=purchase.stan, purpose="争议 D-1"
    )
    assert whole[0].request.field(62).value == card
    with pytest.raises(Refused) as refused:
        reveal_messages(bank.actor, terminal=NUMBER, business_date=purchase.at.date(), stan=purchase.stan, purpose=" ")
    assert refused.value.code is Code.CARD_PURPOSE
    read = Event.objects.filter(subject__startswith=f"messages:{NUMBER}/").values_list("event", "subject")
    assert {event for event, _ in read} == {"message.read", "message.revealed"}
    assert not any(card in subject for _, subject in read)

    everything = SwitchMessage.objects.order_by("id")
    assert everything.count() == 9  # the sign-on, three that are nobody's, and the five above
    nobodys = everything.exclude(organisation="460100")
    assert {row.organisation_id for row in nobodys} == {settings.NODE.organisations[0]}
    assert sorted(bytes(row.request)[:4] for row in nobodys) == [b"", b"0200", b"0200"]
    cut = next(row for row in nobodys if row.terminal == "" and row.type == "0200")
    assert cut.size == len(broken) > len(cut.request)
    assert_nowhere(PIN_BLOCK.hex(), TRACK_2, TRACK_2.encode().hex())
    with acting_in("o000000.o460000.o460200"):
        assert not SwitchMessage.objects.exists()
    bank.assert_ledger_holds()


def assert_nowhere(*secrets: str) -> None:
    """No row of any table holds one of them, as text or as bytes."""
    node = settings.NODE
    address = node.cluster.dsn(node.file.database.name, "postgres")
    with psycopg.connect(address) as superuser:
        tables = superuser.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        ).fetchall()
        for (table,) in tables:
            for secret in secrets:
                query = f'SELECT count(*) FROM "{table}" AS t WHERE t::text ILIKE %s'
                assert superuser.execute(query, [f"%{secret}%"]).fetchone() == (0,), (table, secret)
        kept = superuser.execute("SELECT count(*) FROM transactions_message t WHERE t::text LIKE %s", ["%30323030%"])
        assert kept.fetchone()[0] > 2  # the search finds what is there


@committing
@pytest.mark.req("S4")
def test_a_journal_that_cannot_write_delays_no_purchase_and_writes_when_it_can(bank, terminal):
    card = bank.cards[0].number
    terminal.purchase(card, 1)  # partitions and plans are there
    node = settings.NODE
    with psycopg.connect(node.cluster.dsn(node.file.database.name, "postgres")) as other:
        other.execute("LOCK TABLE transactions_message IN ACCESS EXCLUSIVE MODE")
        took = []
        for _ in range(30):
            began = time.monotonic()
            assert terminal.purchase(card, 1).approved
            took.append(time.monotonic() - began)
        assert sorted(took)[15] < 1.0
    deadline = time.monotonic() + 15
    while SwitchMessage.objects.count() < 31 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert SwitchMessage.objects.count() == 31
    assert bank.balance() == 100_000 - 31


def quiet(most: int) -> Journal:
    """A journal that does not write."""
    return Journal(SwitchSettings("127.0.0.1", 0, "", {}, journal=most, root="460100"))


def test_what_finds_no_room_is_counted_and_noise_is_kept_a_little_only():
    journal = quiet(10)
    for _ in range(4):
        journal.keep([SimpleNamespace(answer=None)] * 4)
    assert journal.dropped == 8
    noisy, line = quiet(10_000), SimpleNamespace(peer="")
    for _ in range(UNREADABLE * 3):
        noisy.refuse(line, b"x", None, 4401, None)
    assert noisy.dropped == UNREADABLE * 2
    silent = quiet(0)
    silent.keep([SimpleNamespace(answer=None)])
    assert silent.dropped == 0


FIELDS = {3: "000000", 4: "000000000100", 11: "000017", 35: TRACK_2, 41: NUMBER, 52: PIN_BLOCK, 55: b"\x9f\x41\x04abcd"}


@settings_of_hypothesis(deadline=None)
@given(st.sets(st.sampled_from(sorted(FIELDS)), min_size=1))
def test_blanking_changes_the_two_secrets_and_nothing_else(numbers):
    fields = {number: FIELDS[number] for number in numbers}
    before, after = encode("0200", fields), blanked("0200", fields)
    assert len(before) == len(after)
    found = decode(after).fields
    assert {number: found[number] for number in fields if number not in (35, 52)} == {
        number: value for number, value in fields.items() if number not in (35, 52)
    }
    assert PIN_BLOCK not in after
    assert TRACK_2.encode() not in after


@settings_of_hypothesis(deadline=None)
@given(st.integers(0, 200), st.integers(0, 255))
def test_of_a_message_that_cannot_be_read_nothing_behind_the_fault_is_kept(at, byte):
    whole = encode("0200", {**FIELDS, 62: "P0000001X"})
    at %= len(whole)
    data = whole[:at] + bytes([byte]) + whole[at + 1 :]
    kind, fields = readable_prefix(data)
    if kind:
        kept = blanked(kind, fields)
        assert len(kept) <= len(data)
        try:
            decode(data)
        except Refused:
            assert not re.search(PIN_BLOCK, kept)
            assert TRACK_2.encode() not in kept


@committing
def test_the_application_reads_messages_and_changes_none(bank):
    with connection.cursor() as cursor:
        for query in ("UPDATE transactions_message SET stan = 1", "DELETE FROM transactions_message"):
            with pytest.raises(Exception, match="permission denied"):
                cursor.execute(query)


def test_settings_name_the_journal():
    assert replace(SwitchSettings("127.0.0.1", 0, "", {}), journal=0).journal == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("S4")
def test_messages_go_by_whole_days_when_the_policy_no_longer_keeps_them_and_never_younger_ones(superuser, tree):
    today = timezone.localdate()
    old, kept = today - timedelta(days=retention.message_days() + 1), today - timedelta(days=30)
    with superuser() as connection:
        for day in (old, kept):
            connection.execute("SELECT transactions_ensure_message_day(%s)", [day])
        connection.execute(
            "INSERT INTO transactions_message (came_at, day, stan, refusal, size, terminal, type, organisation_id,"
            " process, line, request) SELECT now(), day, 1, 0, 4, '', '0200', '000000', 'test', 'test', 'x'"
            " FROM unnest(%s::date[]) AS day",
            [[old, kept]],
        )
    assert days_to_drop(today)[0] == old
    assert kept not in days_to_drop(today)
    jobs.messages()
    assert days_to_drop(today) == []
    with superuser() as connection:
        left = connection.execute("SELECT day FROM transactions_message WHERE process = 'test'").fetchall()
    assert left == [(kept,)]
    with pytest.raises(DatabaseError, match="too young"):
        drop_messages(Actor.process("partitions", "000000"), day=kept)


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("S4")
def test_a_clock_that_is_years_ahead_does_not_take_the_journal_along_in_one_night(superuser, tree, monkeypatch):
    today = timezone.localdate()
    with superuser() as connection:
        for back in range(100, 112):
            connection.execute("SELECT transactions_ensure_message_day(%s)", [today - timedelta(days=back)])
    ahead = today + timedelta(days=1_000)
    before = days_to_drop(ahead)
    monkeypatch.setattr(jobs, "timezone", SimpleNamespace(localdate=lambda: ahead))
    jobs.messages()
    assert days_to_drop(ahead) == before[7:] != []
    with superuser() as connection:
        for day in before[7:]:
            connection.execute(f"DROP TABLE IF EXISTS transactions_message_{day:%Y%m%d}")
