"""Clients that mean harm: each loses its own line, nobody else's answer is late (S4)."""

from __future__ import annotations

import socket
import time

import pytest
from tests.support.payments import HOSPITAL, SwitchProcess

from sheka.foundation.iso8583.framing import frame
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
        for name in ("huge length", "not a message", "an answer"):
            assert ended(lines[name], 0.5), name
        assert terminal.purchase(bank.cards[0].number, 1).approved
        for name in ("half a header", "half a message"):
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
def test_too_many_lines_are_turned_away_not_the_first_ones(strict_switch, bank):
    switch = strict_switch
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac) as terminal:
        assert terminal.echo().approved
        crowd = [socket.create_connection((switch.host, switch.port)) for _ in range(60)]
        assert terminal.purchase(bank.cards[0].number, 1).approved
        assert sum(ended(line, 0.05) for line in crowd[-10:]) == 10
        for line in crowd:
            line.close()
        time.sleep(0.1)
        with Terminal(switch.host, switch.port, "460100000002", HOSPITAL, bank.mac) as later:
            assert later.purchase(bank.cards[1].number, 1).approved
