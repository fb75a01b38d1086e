"""APDUs and status words: a wrong parse would let a chip read another command than the terminal sent."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.chip import apdu as apdu_module
from sheka.foundation.chip.apdu import Command, Response, StatusWord, describe, exact_length, more, tries_left
from sheka.foundation.refusals import Code, Refused


@given(
    st.binary(min_size=4, max_size=4),
    st.binary(max_size=255),
    st.none() | st.integers(1, 256),
)
def test_commands_of_all_four_cases_survive_the_wire(header: bytes, data: bytes, le: int | None) -> None:
    command = Command(*header, data, le)
    assert Command.parse(command.to_bytes()) == command


@pytest.mark.parametrize("text", ["", "00A404", "00A404000212", "00A4040003123456789A", "00A40400000212"])
def test_what_is_no_short_apdu_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        Command.parse(bytes.fromhex(text))
    assert refusal.value.code is Code.CHIP_APDU_FORM


@pytest.mark.parametrize(
    "command", [Command(0, 0, 0, 0, bytes(256)), Command(0, 0, 0, 0, b"", 0), Command(0, 0, 0, 0, b"", 257)]
)
def test_a_command_that_does_not_fit_a_short_apdu_is_not_sent(command: Command) -> None:
    with pytest.raises(Refused):
        command.to_bytes()


def test_answers() -> None:
    answer = Response.parse(bytes.fromhex("0703419000"))
    assert answer == Response(bytes.fromhex("070341"), StatusWord.OK)
    assert answer.ok
    assert answer.to_bytes().hex() == "0703419000"
    with pytest.raises(Refused):
        Response.parse(b"\x90")


def test_every_status_word_has_a_sentence_in_both_languages() -> None:
    path = Path(apdu_module.__file__).parent / "status_words.toml"
    rows = tomllib.loads(path.read_text("utf-8"))
    assert {name: int(row["sw"], 16) for name, row in rows.items()} == {word.name: int(word) for word in StatusWord}
    for word in StatusWord:
        assert describe(word, "en") == rows[word.name]["en"]
        assert describe(word, "zh-Hans") == rows[word.name]["zh"]
        assert rows[word.name]["zh"] != rows[word.name]["en"]


def test_families_of_status_words_say_their_number() -> None:
    assert describe(tries_left(2), "en") == "wrong, 2 tries left"
    assert "2次" in describe(tries_left(2), "zh-Hans")
    assert describe(more(30)) == "30 more bytes to fetch"
    assert describe(exact_length(18)) == "the length must be 18 bytes"
    assert describe(0x1234) == "1234"
    assert more(256) == 0x6100
