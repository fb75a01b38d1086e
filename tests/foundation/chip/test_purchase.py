"""The medical purchase on the card: both sides prove themselves, the log is whole, no debit twice (C1, C2)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sheka.foundation.chip import authentication as au
from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.codec import decode_cyclic

TERMINAL = bytes.fromhex("460100000001")
TERMINAL_SEQUENCE = bytes.fromhex("0A0B0C0D")
SETTLEMENT = au.Settlement((0, 8000, 5000), TERMINAL, bytes.fromhex("20260106093000"))


def initialise(terminal: Any, version: int = 0) -> Any:
    return terminal.raw(Command(0x80, 0x50, 0, 0, bytes((version,)) + TERMINAL, 8))


def session_key(terminal: Any, started: bytes) -> bytes:
    key = terminal.keys.card_key("DPK", started[2])
    return au.purchase_session_key(terminal.algorithm, key, started[4:], started[:2], TERMINAL_SEQUENCE)


def debit_command(terminal: Any, started: bytes, settlement: au.Settlement = SETTLEMENT) -> Command:
    mac1 = au.purchase_mac1(terminal.algorithm, session_key(terminal, started), settlement)
    message = settlement.message()
    return Command(0x80, 0x54, 0, 0, TERMINAL_SEQUENCE + message + mac1, 8)


def ready(terminal: Any) -> Any:
    terminal.use_pin()
    terminal.select("DF04")
    return terminal


def log(terminal: Any) -> list[dict[str, Any]]:
    terminal.select("DF04/EF08")
    file, found = terminal.profile.file("DF04/EF08"), []
    while (answer := terminal.raw(Command(0x00, 0xB2, len(found) + 1, 0x04, b"", 256))).ok:
        found.append(decode_cyclic(file, answer.data))
    return found


@pytest.mark.req("C1")
def test_a_settlement_is_proved_by_both_sides_and_logged(terminal: Any) -> None:
    ready(terminal)
    started = initialise(terminal).data
    assert started[:4] == bytes((0, 1, 1, int(terminal.algorithm)))
    answer = terminal.raw(debit_command(terminal, started))
    assert answer.status == 0x9000
    assert answer.data[:4] == au.purchase_mac2(terminal.algorithm, session_key(terminal, started), SETTLEMENT)
    dtk = terminal.keys.card_key("DTK")
    assert answer.data[4:] == au.tac(terminal.algorithm, dtk, SETTLEMENT, TERMINAL_SEQUENCE)
    assert log(terminal) == [
        {
            "sequence": b"\0\1",
            "type": "2",
            "terminal": "460100000001",
            "time": "20260106093000",
            "personal_account": b"\0\0\0\0",
            "own_payment": (8000).to_bytes(4, "big"),
            "pooled_fund": (5000).to_bytes(4, "big"),
        }
    ]


def test_a_purchase_of_zero_is_logged_correctly(terminal: Any) -> None:
    ready(terminal)
    nothing = dataclasses.replace(SETTLEMENT, amounts=(0, 0, 0))
    assert terminal.sw(debit_command(terminal, initialise(terminal).data, nothing)) == "9000"
    (entry,) = log(terminal)
    assert entry["own_payment"] == entry["pooled_fund"] == entry["personal_account"] == bytes(4)
    assert entry["sequence"] == b"\0\1"


def test_the_log_keeps_the_last_thirty(terminal: Any) -> None:
    ready(terminal)
    for _ in range(33):
        assert terminal.sw(debit_command(terminal, initialise(terminal).data)) == "9000"
    assert [int.from_bytes(entry["sequence"], "big") for entry in log(terminal)] == list(range(33, 3, -1))


@pytest.mark.req("C1")
def test_a_terminal_without_the_key_debits_nothing(terminal: Any) -> None:
    ready(terminal)
    good = debit_command(terminal, initialise(terminal).data)
    wrong = good.with_data(good.data[:-1] + bytes([good.data[-1] ^ 1]))
    assert terminal.sw(wrong) == "9302"
    assert terminal.sw(good) == "6985"
    assert log(terminal) == []
    terminal.select("DF04")
    started = initialise(terminal).data
    assert started[:2] == b"\0\1"
    raised = debit_command(terminal, started, dataclasses.replace(SETTLEMENT, amounts=(0, 9000, 5000)))
    mac = debit_command(terminal, started).data[-4:]
    assert terminal.sw(raised.with_data(raised.data[:-4] + mac)) == "9302"


@pytest.mark.req("C1")
def test_a_recorded_purchase_cannot_be_played_again(terminal: Any) -> None:
    ready(terminal)
    recorded = debit_command(terminal, initialise(terminal).data)
    assert terminal.sw(recorded) == "9000"
    assert terminal.sw(recorded) == "6985"
    initialise(terminal)
    assert terminal.sw(recorded) == "9302"
    assert len(log(terminal)) == 1


def test_wrong_macs_lock_the_purchase_key(terminal: Any) -> None:
    ready(terminal)
    for _ in range(15):
        good = debit_command(terminal, initialise(terminal).data)
        assert terminal.sw(good.with_data(good.data[:-4] + bytes(4))) == "9302"
    assert terminal.sw(debit_command(terminal, initialise(terminal).data)) == "6983"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"terminal": bytes.fromhex("460100000002")}, "6A80"),
        ({"type": b"1"}, "6A80"),
        ({"time": bytes.fromhex("20261306093000")}, "6A80"),
        ({"time": bytes.fromhex("2026010609300A")}, "6A80"),
    ],
)
def test_what_cannot_be_logged_truly_is_not_debited(terminal: Any, change: dict[str, Any], status: str) -> None:
    ready(terminal)
    command = debit_command(terminal, initialise(terminal).data, dataclasses.replace(SETTLEMENT, **change))
    assert terminal.sw(command) == status
    assert log(terminal) == []


def test_conditions_of_a_purchase(terminal: Any) -> None:
    terminal.select("DF04")
    assert initialise(terminal).status == 0x6982
    ready(terminal)
    assert initialise(terminal, 2).status == 0x9403
    assert initialise(terminal, 1).status == 0x9000
    assert terminal.sw(Command(0x80, 0x50, 0, 0, b"\0" + TERMINAL[:5])) == "6700"
    assert terminal.sw(Command(0x80, 0x50, 1, 0, b"\0" + TERMINAL)) == "6A86"
    terminal.select("DF01")
    assert initialise(terminal).status == 0x6985
    terminal.select("DF04")
    assert terminal.sw(debit_command(terminal, bytes(8))) == "6985"
    started = initialise(terminal).data
    terminal.select("DF04")
    assert terminal.sw(debit_command(terminal, started)) == "6985"


def test_a_lost_answer_is_proved_afterwards(terminal: Any) -> None:
    ready(terminal)
    assert terminal.sw(Command(0x80, 0x5A, 0, 0, b"\0\1", 8)) == "9406"
    answer = terminal.raw(debit_command(terminal, initialise(terminal).data))
    terminal.reset()
    terminal.select("DF04")
    assert terminal.raw(Command(0x80, 0x5A, 0, 0, b"\0\1", 8)) == answer
    assert terminal.sw(Command(0x80, 0x5A, 0, 0, b"\0\2", 8)) == "9406"


def test_the_last_sequence_number_is_the_end_of_purchases(insert: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = ready(insert())
    terminal.card._chip.memory._content["purchase/sequence"] = b"\xff\xfe"
    assert terminal.sw(debit_command(terminal, initialise(terminal).data)) == "9000"
    assert initialise(terminal).status == 0x6985
