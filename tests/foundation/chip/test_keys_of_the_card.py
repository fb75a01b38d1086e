"""Keys on the card: every one authenticates in every version, a wrong one runs out of tries (C1; card.md §6)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.authentication import card_authentication_code, external_cryptogram, internal_response
from sheka.foundation.chip.declarations import Purpose

FACTOR, SOURCE = bytes.fromhex("0102030405060708"), bytes.fromhex("A1A2A3A4A5A6A7A8")


@pytest.mark.req("C1")
def test_a_genuine_card_answers_as_its_verifier_computes_and_a_counterfeit_does_not(terminal) -> None:
    terminal.select("SSSE")
    asked = Command(0x00, 0x88, 0x00, 0x00, FACTOR + SOURCE)
    assert terminal.raw(asked).status == 0x6108
    answer = terminal.ask(asked)
    irk = terminal.keys.card_key("IRK")
    assert answer.data == internal_response(terminal.algorithm, irk, FACTOR, SOURCE)
    assert answer.data != internal_response(terminal.algorithm, irk[::-1], FACTOR, SOURCE)
    assert terminal.raw(Command(0x00, 0x88, 0, 0, FACTOR + SOURCE, 8)).data == answer.data
    assert (
        terminal.raw(Command(0x00, 0x88, 0, terminal.profile.key("IRK").key_id, FACTOR + SOURCE, 8)).data == answer.data
    )


@pytest.mark.req("C1")
def test_the_identification_code_proves_its_own_number(terminal) -> None:
    terminal.select("SSSE/EF05")
    code = terminal.raw("00B2010412").data[2:]
    assert code[12:] == card_authentication_code(terminal.algorithm, terminal.keys.card_key("IRK"), code[:12])


@pytest.mark.req("C1", "K2")
def test_every_key_authenticates_in_every_version_and_the_newest_by_default(insert: Callable) -> None:
    terminal = insert(versions=(1, 2, 3))
    for key in terminal.profile.keys:
        terminal.select(key.application)
        if key.purpose.authenticates_externally:
            for version in (1, 2, 3):
                assert terminal.authenticate(key.name, version=version) == "9000", key.name
            assert terminal.authenticate(key.name, key=terminal.keys.card_key(key.name, 3)) == "9000"
            assert terminal.authenticate(key.name, key=terminal.keys.card_key(key.name, 1)) == "63CE"
            assert terminal.authenticate(key.name, version=4) == "6A88"
        else:
            assert terminal.authenticate(key.name) == "6985", key.name
    terminal.select("SSSE")
    for version in (1, 2, 3):
        expected = internal_response(terminal.algorithm, terminal.keys.card_key("IRK", version), FACTOR, SOURCE)
        assert terminal.raw(Command(0x00, 0x88, version, 0, FACTOR + SOURCE, 8)).data == expected
    assert terminal.raw("80CA010200").data[2] == 3


def test_a_version_that_was_never_written_is_not_found(terminal) -> None:
    terminal.select("SSSE")
    assert terminal.authenticate("RKSSSE", version=2) == "6A88"
    assert terminal.sw(Command(0x00, 0x88, 2, 0, FACTOR + SOURCE)) == "6A88"


@pytest.mark.req("C1")
def test_wrong_cryptograms_use_up_the_tries_over_resets_and_lock_the_key(terminal) -> None:
    terminal.select("SSSE")
    wrong = bytes(16)
    limit = terminal.profile.key("RKSSSE").retry_limit
    for left in range(limit - 1, 4, -1):
        assert terminal.authenticate("RKSSSE", key=wrong) == f"63C{left:X}"
    terminal.reset()
    terminal.select("SSSE")
    assert terminal.authenticate("RKSSSE", key=wrong) == "63C4"
    assert terminal.authenticate("RKSSSE") == "9000"
    for left in range(limit - 1, -1, -1):
        assert terminal.authenticate("RKSSSE", key=wrong) == f"63C{left:X}"
    assert terminal.authenticate("RKSSSE") == "6983"
    assert terminal.authenticate("UKSSSE") == "9000"
    terminal.select("SSSE/EF07")
    assert terminal.sw("00B0000001") == "6982"


@pytest.mark.req("C1")
def test_wrong_macs_lock_the_write_key(terminal) -> None:
    terminal.select("DF01/EF08")
    write = Command(0x00, 0xDC, 1, 0x04, bytes.fromhex("2B0132"))
    for _ in range(terminal.profile.key("UK3DF01").retry_limit):
        assert terminal.sw(terminal.secured(write, "UK4DF01")) == "9302"
    assert terminal.sw(terminal.secured(write, "UK3DF01")) == "6983"


@pytest.mark.req("C1")
def test_a_challenge_serves_once(terminal) -> None:
    terminal.select("SSSE")
    key, declared = terminal.keys.card_key("RKSSSE"), terminal.profile.key("RKSSSE")
    challenge = terminal.challenge()
    recorded = Command(
        0x00, 0x82, 0, declared.key_id, external_cryptogram(terminal.algorithm, key, challenge) + challenge
    )
    assert terminal.sw(recorded) == "9000"
    assert terminal.sw(recorded) == "6984"
    terminal.challenge()
    assert terminal.sw(recorded) == "63CE"
    terminal.challenge(4)
    assert terminal.sw(recorded) == "6984"


def test_a_failed_authentication_takes_back_an_earlier_one(terminal) -> None:
    terminal.select("SSSE")
    terminal.authenticate("RKSSSE")
    terminal.authenticate("RKSSSE", key=bytes(16))
    assert terminal.read_first("SSSE/EF07") == "6982"


def test_the_terminal_may_choose_the_source(terminal) -> None:
    terminal.select("SSSE")
    challenge = terminal.challenge()
    cryptogram = external_cryptogram(terminal.algorithm, terminal.keys.card_key("RKSSSE"), challenge, SOURCE)
    assert terminal.sw(Command(0x00, 0x82, 0, terminal.profile.key("RKSSSE").key_id, cryptogram + SOURCE)) == "9000"


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("0088000008" + "11" * 8, "6700"),
        ("0088000F10" + "11" * 16, "6A88"),
        ("0088000C10" + "11" * 16, "6985"),
        ("0082000C08" + "11" * 8, "6700"),
        ("0082000210" + "11" * 16, "6985"),
        ("008200EE10" + "11" * 16, "6A88"),
        ("0082000010" + "11" * 16, "6A88"),
        ("0082000C10" + "11" * 16, "6984"),
    ],
)
def test_refusals_of_the_authentication_commands(terminal, apdu: str, status: str) -> None:
    terminal.select("SSSE")
    assert terminal.sw(apdu) == status


def test_keys_are_found_in_their_application_and_below_only(terminal) -> None:
    terminal.sw("00A40000023F00")
    assert terminal.authenticate("RKSSSE") == "6A88"
    assert terminal.sw(Command(0x00, 0x88, 0, 0, FACTOR + SOURCE)) == "6A88"
    terminal.select("DF02")
    assert terminal.authenticate("RK1DF01") == "6A88"
    assert terminal.authenticate("RKSSSE") == "9000"


def test_no_key_of_the_card_shows_in_anything_it_answers(terminal) -> None:
    values = {terminal.keys.card_key(key.name) for key in terminal.profile.keys}
    terminal.use_pin()
    seen = b""
    for p1 in range(256):
        for ins in (0xB0, 0xB2, 0xCA, 0xC0):
            seen += terminal.card.transmit(bytes((0x80 if ins == 0xCA else 0x00, ins, p1, 0x04, 0x00)))
    assert not any(value in seen for value in values)
    assert {key.purpose for key in terminal.profile.keys} > {Purpose.INTERNAL}
