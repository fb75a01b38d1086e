"""What breaks around the switch: the database's connections, the machine, another switch beside it (S4, S10)."""

from __future__ import annotations

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import asyncpg
import iso8583
import psycopg
import pytest
from django.conf import settings
from tests.support.payments import HOSPITAL, SwitchProcess

from sheka.foundation.iso8583 import decode
from sheka.foundation.iso8583.dictionary import fields
from sheka.foundation.iso8583.framing import frame
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.switch import registry
from sheka.systems.transactions.switch.guard import Guard
from sheka.systems.transactions.switch.registry import Registry
from sheka.systems.transactions.switch.settings import SECRET_VARIABLE, SwitchSettings
from sheka.systems.transactions.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)


def purchases(bank, count, number="460100000001") -> list[bytes]:
    made = Terminal("127.0.0.1", 1, number, HOSPITAL, bank.mac)
    items = [made.new_purchase(bank.cards[at % 4].number, 1) for at in range(count)]
    return [made.encoded("0200", made._purchase_fields(item)) for item in items]


def talk(switch, messages) -> list[bytes]:
    """Send everything at once and wait for every answer."""

    async def run():
        reader, writer = await asyncio.open_connection(switch.host, switch.port)
        writer.write(b"".join(map(frame, messages)))
        try:
            async with asyncio.timeout(40):
                return [await reader.readexactly(int.from_bytes(await reader.readexactly(2))) for _ in messages]
        finally:
            writer.close()
            await writer.wait_closed()

    return asyncio.run(run())


@pytest.mark.req("S4")
@pytest.mark.req("S10")
def test_connections_that_the_database_cuts_cost_time_not_money(switch, bank):
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(**settings.NODE.cluster.parameters("postgres", "postgres"), autocommit=True) as administrator,
    ):
        running = pool.submit(talk, switch, purchases(bank, 2_000))
        cuts = 0
        while not running.done() and cuts < 5:
            time.sleep(0.05)
            cuts += administrator.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'switch' AND datname = %s AND state <> 'idle'",
                [settings.NODE.file.database.name],
            ).fetchone()[0]
        answers = running.result()
    assert cuts > 0
    assert {decode(one).fields[39] for one in answers} == {"00"}
    assert Transaction.objects.count() == 2_000
    assert sum(bank.balance(index) for index in range(4)) == 400_000 - 2_000
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_two_switches_with_the_same_requests_book_each_once(switch, bank):
    messages = purchases(bank, 150)
    other = SwitchProcess()
    try:
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda one: talk(one, messages), (switch, other))
    finally:
        other.stop()
    assert sorted(first) == sorted(second)
    assert {decode(one).fields[39] for one in first} == {"00"}
    assert Transaction.objects.count() == 150
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_without_the_machine_nothing_is_booked_and_the_line_ends(bank, monkeypatch):
    monkeypatch.setenv(SECRET_VARIABLE, "00" * 32)
    lonely = SwitchProcess(None, "--dsn", settings.NODE.dsn("switch"), "--machine", "460100=unix:/nowhere/machine.sock")
    try:
        with (
            Terminal(lonely.host, lonely.port, "460100000001", HOSPITAL, bank.mac, timeout=5) as terminal,
            pytest.raises(Refused) as refusal,
        ):
            terminal.purchase(bank.cards[0].number, 1)
        assert refusal.value.code is Code.SWITCH_OUTCOME_UNKNOWN
    finally:
        assert "does not answer" in lonely.stop()
    assert not Transaction.objects.exists()


@pytest.mark.req("S4")
def test_a_client_of_a_public_library_is_understood(switch, bank):
    spec = {
        "h": {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 0, "desc": ""},
        "t": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 4, "desc": ""},
        "p": {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 8, "desc": ""},
        "1": {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 8, "desc": ""},
    } | {
        str(field.number): {
            "data_enc": "b" if field.is_binary else "ascii",
            "len_enc": "ascii",
            "len_type": field.prefix,
            "max_len": field.length,
            "desc": field.name,
        }
        for field in fields().values()
    }
    ours = decode(purchases(bank, 1)[0])
    message = {"t": "0200", **{str(number): value for number, value in ours.fields.items()}, "64": "00" * 8}
    unsigned = iso8583.encode(message, spec)[0][:-8]
    with socket.create_connection((switch.host, switch.port), timeout=10) as line:
        line.sendall(frame(unsigned + bank.mac(unsigned) + bytes(4)))
        size = int.from_bytes(line.recv(2))
        raw = line.recv(size)
    decoded, _ = iso8583.decode(raw, spec)
    assert (decoded["t"], decoded["39"], decoded["54"]) == ("0210", "00", "0002156C000000099999")
    assert bytes.fromhex(decoded["64"])[:4] == bank.mac(raw[:-8])
    assert bank.balance() == 99_999


@pytest.mark.req("S4")
def test_a_switch_that_cannot_start_says_why_in_one_sentence(bank, tmp_path, monkeypatch):
    with pytest.raises(RuntimeError, match="25"):
        SwitchProcess(None, "--node", str(tmp_path / "none.toml"))
    with pytest.raises(RuntimeError, match="not one of"):
        SwitchProcess(None, "--limit", "speed=9")


@pytest.mark.req("S10")
@pytest.mark.parametrize("where", ["guard", "registry"])
def test_who_follows_the_tables_outlives_whatever_a_dying_server_says(bank, where, monkeypatch):
    """A server that dies in the middle of a statement makes asyncpg raise what is no PostgresError: a switch whose
    follower ended with it would refuse everything (91, 4458) until somebody starts it anew.
    """
    looks = []

    async def dying(self, *arguments, **options):
        looks.append(where)
        if len(looks) == 1:
            raise asyncpg.InternalClientError("got result for unknown protocol state 3")
        return await fetchval(self, *arguments, **options)

    async def followed() -> bool:
        settings_of = SwitchSettings("127.0.0.1", 0, settings.NODE.dsn("switch"), {})
        one = Guard(settings_of) if where == "guard" else Registry(settings_of.dsn)
        await one.start()
        monkeypatch.setattr(asyncpg.Connection, method, dying)
        one._stirred.set() if where == "guard" else one._changed.set()
        try:
            async with asyncio.timeout(20):
                while len(looks) < 3:
                    await asyncio.sleep(0.05)
                    if where == "registry":
                        one._changed.set()
            return not one._task.done()
        finally:
            await one.stop()

    method = "fetchval" if where == "guard" else "fetch"
    fetchval = getattr(asyncpg.Connection, method)
    assert asyncio.run(followed())


class Wire:
    """Between a client and the database's socket; what hangs at `silent` carries nothing more and says nothing."""

    def __init__(self, folder, real) -> None:
        self.path, self._real, self._silent = folder / real.name, str(real), set()
        self._open = []

    async def __aenter__(self):
        self._server = await asyncio.start_unix_server(self._carry, str(self.path))
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for one in self._open:
            one.transport.abort()
        await asyncio.sleep(0.1)

    def fall_silent(self) -> None:
        self._silent |= set(self._open)

    async def _carry(self, reader, writer):
        further, there = await asyncio.open_unix_connection(self._real)
        self._open += [writer, there]
        await asyncio.gather(self._copy(reader, there), self._copy(further, writer), return_exceptions=True)

    async def _copy(self, source, target):
        while data := await source.read(65536):
            if target not in self._silent:
                target.write(data)
        target.close()


@pytest.mark.req("S4")
@pytest.mark.req("S10")
def test_a_registry_whose_line_died_in_silence_hears_of_changes_nevertheless(bank, tmp_path, monkeypatch):
    """A firewall forgets an idle line: the notice that a certificate or a terminal is no good any more never comes."""
    monkeypatch.setattr(registry, "BEAT", 0.2)
    monkeypatch.setattr(registry, "PATIENCE", 0.5)
    cluster = settings.NODE.cluster
    real = cluster.sockets / f".s.PGSQL.{cluster.port}"
    dsn = settings.NODE.dsn("switch").replace(quote(str(cluster.sockets), safe=""), quote(str(tmp_path), safe=""))

    def lock() -> None:
        with psycopg.connect(**settings.NODE.database_parameters("app"), autocommit=True) as application:
            application.execute("SET sheka.scope = 'o000000'")
            application.execute("UPDATE transactions_terminal SET state = 'locked'")

    async def heard() -> bool:
        async with Wire(tmp_path, real) as wire:
            one = Registry(dsn)
            await one.start()
            try:
                assert not one.find("460100000001").locked
                await asyncio.sleep(0.5)  # it listens
                wire.fall_silent()
                await asyncio.to_thread(lock)
                async with asyncio.timeout(10):
                    while not one.find("460100000001").locked:
                        await asyncio.sleep(0.05)
                return True
            except TimeoutError:
                return False
            finally:
                await one.stop()

    assert asyncio.run(heard())


SLOW_COMMIT = """
CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(5);
    RETURN NULL;
EXCEPTION WHEN query_canceled THEN  -- who gives up comes too late to stop it
    RETURN NULL;
END $$;
CREATE TRIGGER slow_commit AFTER INSERT ON transactions_seal FOR EACH ROW EXECUTE FUNCTION slow_commit();
"""


@pytest.mark.req("S4")
@pytest.mark.req("S10")
def test_a_commit_that_is_not_answered_in_time_is_unknown_and_not_untaken(bank, superuser):
    """Who is told "not taken" pays again, with another number: it is booked, and the switch had stopped waiting."""
    switch = SwitchProcess(None, "--limit", "patience=1")
    try:
        with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac) as terminal:
            bought = terminal.new_purchase(bank.cards[0].number, 700)
            with superuser() as administrator:
                administrator.execute(SLOW_COMMIT)
                try:
                    answer = terminal.send_purchase(bought)
                finally:
                    administrator.execute("DROP FUNCTION slow_commit CASCADE")
            assert bank.balance() == 99_300
            assert answer.refusal == Code.SWITCH_OUTCOME_UNKNOWN.value
            assert terminal.reversal(bought).balance == 100_000
    finally:
        switch.stop()
    bank.assert_ledger_holds()
