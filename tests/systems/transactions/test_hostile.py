"""Clients that mean harm: each loses its own line, nobody else's answer is late (S4)."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest
from tests.support.payments import HOSPITAL, SwitchProcess

from sheka.equipment.server.processes import memory_bytes
from sheka.foundation.iso8583.framing import frame
from sheka.foundation.refusals import Refused
from sheka.systems.transactions.switch.connection import allow_files
from sheka.systems.transactions.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def strict_switch(bank):
    """A switch with little patience and little room."""
    limits = ("partial_message=0.5", "idle=2", "unread=20000", "connections=40", "in_flight=64")
    process = SwitchProcess(None, *(part for limit in limits for part in ("--limit", limit)))
    yield process
    process.stop()


def ended(line: socket.socket, within: float) -> bool:
    """Whether the other side ends the line in time."""
    line.settimeout(within)
    try:
        while line.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.req("S4")
def test_lies_about_length_halves_of_messages_and_idle_lines_end(strict_switch, bank):
    switch = strict_switch
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac) as terminal:
        assert terminal.purchase(bank.cards[0].number, 1).approved
        begun = {
            "huge length": b"\xff\xff",
            "ten megabytes": b"\x98\x96\x80" + b"0200" * 5_000,
            "ten megabytes in four bytes": b"\x00\x98\x96\x80" + b"0200",
            "half a header": b"\x00",
            "half a message": b"\x00\x200200",
            "not a message": frame(b"GET / HTTP/1.1"),
            "an answer": frame(b"0210" + bytes(8)),
            "nothing": b"",
        }
        lines = {}
        for name, data in begun.items():
            lines[name] = socket.create_connection((switch.host, switch.port))
            lines[name].sendall(data)
        for name in ("huge length", "ten megabytes", "not a message", "an answer"):
            assert ended(lines[name], 0.5), name
        assert terminal.purchase(bank.cards[0].number, 1).approved
        for name in ("half a header", "half a message", "ten megabytes in four bytes"):
            assert ended(lines[name], 2.5), name
        assert terminal.purchase(bank.cards[0].number, 1).approved
        assert ended(lines["nothing"], 4), "nothing"
        for line in lines.values():
            line.close()


@pytest.mark.req("S4")
def test_a_reader_that_never_reads_is_cut_off_and_others_are_served(strict_switch, bank):
    switch = strict_switch
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac) as terminal:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((switch.host, switch.port))
        deaf.settimeout(0.2)
        message = frame(
            terminal.encoded(
                "0800", {7: "1121000000", 11: "000001", 41: "460100000001", 42: HOSPITAL.ljust(15), 70: "301"}
            )
        )
        sent, cut = 0, False
        started = time.monotonic()
        while not cut and time.monotonic() - started < 10:
            try:
                deaf.sendall(message * 50)
                sent += 50
            except TimeoutError:
                pass
            except OSError:
                cut = True
            assert terminal.purchase(bank.cards[0].number, 1).approved
        deaf.close()
        assert cut, f"{sent} requests were taken from somebody who reads no answer"
        assert terminal.purchase(bank.cards[0].number, 1).approved


@pytest.mark.req("S4")
def test_who_sends_thousands_waits_behind_himself(bank):
    """Ten thousand messages that prove nothing, and every honest till was answered "busy" (91), seconds later."""
    switch = SwitchProcess(None, "--limit", "queued=300")
    with (
        Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac) as terminal,
        Terminal(switch.host, switch.port, "460100000002", HOSPITAL, bank.mac) as other,
    ):
        asked = other._purchase_fields(other.new_purchase(bank.cards[0].number, 1))
        forged = frame(other.encoded("0200", asked)[:-8] + bytes(8))
        lines = [socket.create_connection((switch.host, switch.port)) for _ in range(5)]
        for line in lines:
            line.setblocking(False)
        answers, sent = [], 0
        while len(answers) < 20:
            for line in lines:
                with suppress(BlockingIOError):
                    sent += line.send(forged * 400)
                with suppress(BlockingIOError):
                    line.recv(1 << 20)
            answers.append(terminal.purchase(bank.cards[0].number, 1).refusal)
        for line in lines:
            line.close()
    said = switch.stop()
    assert sent > 300 * len(forged), said
    assert answers == [0] * 20, said


@pytest.mark.req("S4")
def test_who_only_connects_bars_nobody(strict_switch, bank):
    """All places are taken by lines that said nothing: an honest one comes in, those who proved themselves stay."""
    switch = strict_switch
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac) as terminal:
        assert terminal.echo().approved
        crowd = [socket.create_connection((switch.host, switch.port)) for _ in range(60)]
        assert terminal.purchase(bank.cards[0].number, 1).approved, "a proven line was put out"
        with Terminal(switch.host, switch.port, "460100000002", HOSPITAL, bank.mac) as late:
            assert late.purchase(bank.cards[1].number, 1).approved, "a crowd of the silent kept an honest one out"
            assert sum(ended(line, 0.5) for line in crowd[:20]) == 20, "the oldest silent ones kept their places"
        for line in crowd:
            line.close()
        honest = [
            Terminal(switch.host, switch.port, f"46010000000{one % 3 + 1}", HOSPITAL, bank.mac, first_stan=100 + one)
            for one in range(39)
        ]
        assert all(one.echo().approved for one in honest)
        more = Terminal(switch.host, switch.port, "460100000003", HOSPITAL, bank.mac, first_stan=900)
        with pytest.raises(Refused):  # forty have proved whose they are
            more.echo()
        more.close()
        for one in honest:
            one.close()


@pytest.mark.req("S4")
def test_five_thousand_lines_do_not_keep_an_honest_purchase_waiting(bank):
    """Half-open, a byte now and then, halves of messages, garbage, huge lengths: measured at an honest line."""
    allow_files(6000)
    process = SwitchProcess(None, "--limit", "partial_message=4")
    begun = memory_bytes(process.process.pid)
    crowd: list[socket.socket] = []
    try:
        with Terminal(process.host, process.port, "460100000001", HOSPITAL, bank.mac) as terminal:
            assert terminal.purchase(bank.cards[0].number, 1).approved
            slowest = 0.0
            mischief = (b"", b"\x00", b"\x00\x200200", b"\x04\xb00200" + b"0" * 1000, b"\x00\x2003")
            for number in range(5000):
                line = socket.create_connection((process.host, process.port))
                line.sendall(mischief[number % len(mischief)])
                crowd.append(line)
                if number % 250 == 0:
                    slowest = max(slowest, _paid(terminal, bank))
            for number in range(200):
                rude = socket.create_connection((process.host, process.port))
                rude.sendall((b"\xff\xff", frame(b"GET / HTTP/1.1"), b"\x98\x96" + b"A" * 60_000)[number % 3])
                crowd.append(rude)
            ticks = time.monotonic() + 5
            while time.monotonic() < ticks:  # a byte now and then to two hundred of them
                for line in crowd[2:1002:5]:
                    with suppress(OSError):
                        line.send(b"0")
                slowest = max(slowest, _paid(terminal, bank))
                time.sleep(0.3)
            grown = memory_bytes(process.process.pid) - begun
        with Terminal(process.host, process.port, "460100000002", HOSPITAL, bank.mac) as late:
            assert late.purchase(bank.cards[1].number, 1).approved
        assert slowest < 2.0, f"an honest purchase waited {slowest:.2f} s"
        assert grown < 200 * 2**20, f"{grown / 2**20:.0f} MiB for five thousand lines"
        halves = [crowd[number] for number in range(2, 500, 5)]
        assert sum(ended(line, 4) for line in halves[50:60]) == 10, "an unfinished message is waited for without an end"
    finally:
        for line in crowd:
            line.close()
        print(process.stop())


def _paid(terminal: Terminal, bank) -> float:
    """Seconds that an honest purchase takes now."""
    asked = time.monotonic()
    assert terminal.purchase(bank.cards[0].number, 1).approved
    return time.monotonic() - asked
