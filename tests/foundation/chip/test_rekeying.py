"""The card's side of new keys: who may, in which order, and what is refused (K2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.authentication import external_cryptogram, external_data, wrap_key_for_chip


@pytest.fixture
def opened(terminal) -> Callable[[], bytes]:
    """Authenticates the issuer's key and KT; the challenge of the session."""

    def open_session() -> bytes:
        terminal.select("SSSE")
        assert terminal.authenticate("UKSSSE") == "9000"
        challenge = terminal.challenge()
        data = external_data(
            external_cryptogram(terminal.algorithm, terminal.keys.card_key("KT"), challenge), challenge
        )
        assert terminal.sw(Command(0, 0x82, 0, 0, data)) == "9000"
        return challenge

    return open_session


def write(terminal, challenge: bytes, name: str, version: int) -> str:
    key = terminal.profile.key(name)
    data = wrap_key_for_chip(
        terminal.algorithm,
        terminal.keys.card_key("KT"),
        challenge,
        key.key_id,
        version,
        terminal.keys.card_key(name, version),
    )
    return terminal.sw(Command(0x80, 0xD4, 0, 0, data))


@pytest.mark.req("K2")
def test_nothing_is_written_without_both_keys(terminal) -> None:
    terminal.select("SSSE")
    for apdu in ("80D40000", "80EA0000", "80EC0000" + "0101"):
        assert terminal.sw(apdu) == "6982"
    challenge = terminal.challenge()
    data = external_data(external_cryptogram(terminal.algorithm, terminal.keys.card_key("KT"), challenge), challenge)
    assert terminal.sw(Command(0, 0x82, 0, 0, data)) == "6A88", "KT alone is nothing"


@pytest.mark.req("K2")
def test_only_the_next_version_of_a_key_of_this_application_is_taken(terminal, opened) -> None:
    challenge = opened()
    for name, version, status in (
        ("RKSSSE", 1, "9403"),
        ("RKSSSE", 3, "9403"),
        ("RK1DF01", 2, "6A88"),
        ("RKSSSE", 2, "9000"),
    ):
        assert write(terminal, challenge, name, version) == status, (name, version)
    assert write(terminal, bytes(8), "RKSSSE", 2) == "9302"
    assert terminal.sw("80EA0000") == "6985", "one key is not all"
    assert terminal.authenticate("RKSSSE", version=2) == "6A88"
    assert terminal.sw("80EA0001") == "6A86"
    assert terminal.sw("80EA0000" + "0100") == "6700"
    assert terminal.sw("80D40000" + "0100") == "6700"


@pytest.mark.req("K2")
def test_the_newest_version_is_never_retired(terminal, opened) -> None:
    opened()
    assert terminal.sw("80EC000001" + "01") == "6985"
    assert terminal.sw("80EC000001" + "02") == "6A88"
    assert terminal.sw("80EC000002" + "0101") == "6700"
    terminal.reset()
    terminal.select("SSSE")
    assert terminal.sw("80EC000001" + "01") == "6982"
