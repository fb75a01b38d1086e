"""Every refusal number has its sentences and every sentence its number: nobody at a counter meets a bare code."""

from __future__ import annotations

import copy
import pickle
import re
import tomllib
from pathlib import Path
from string import Formatter

import pytest

from sheka.foundation.refusals import Code, Refused, codes, sentence, sentences
from sheka.foundation.terms import Term

FOLDER = Path(codes.__file__).parent
CODES = list(Code)


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def blocks() -> list[tuple[str, int, str]]:
    """Name of each code with the lowest number of the block that it stands in, as the source says."""
    found, block, base = [], "", 0
    for line in Path(codes.__file__).read_text("utf-8").splitlines():
        if heading := re.fullmatch(r" +# (.+) \((\d+)\)", line):
            block, base = heading[1], int(heading[2])
        elif member := re.match(r" +([A-Z][A-Z0-9_]*) = \d+", line):
            found.append((member[1], base, block))
    return found


def test_every_code_has_a_sentence_and_every_sentence_a_code() -> None:
    assert set(sentences()) == {code.name for code in CODES}


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_both_languages_say_the_same(code: Code) -> None:
    written = sentence(code)
    for text in (written.zh, written.en, written.zh_do, written.en_do):
        assert text.strip() == text and text
    assert placeholders(written.zh) == placeholders(written.en)
    assert placeholders(written.zh_do) == placeholders(written.en_do)
    assert re.search(r"[\u4e00-\u9fff]", written.zh) and re.search(r"[\u4e00-\u9fff]", written.zh_do)
    assert not re.search(r"[\u4e00-\u9fff]", written.en)  # what to do may quote a Chinese example
    assert 400 <= written.http <= 599
    assert all(name.isidentifier() for name in placeholders(written.zh + written.zh_do))


def test_numbers_are_used_once_and_stand_inside_their_block() -> None:
    found = blocks()
    assert [name for name, _, _ in found] == [code.name for code in CODES]
    bases = sorted({base for _, base, _ in found})
    for name, base, block in found:
        higher = [other for other in bases if other > base]
        assert base <= Code[name].value < min([base + 1000, *higher]), f"{name} is not inside {block}"
    assert len({code.value for code in CODES}) == len(CODES)


def test_no_sentence_stands_in_two_files() -> None:
    names = [name for path in FOLDER.glob("*.toml") for name in tomllib.loads(path.read_text("utf-8"))]
    assert len(names) == len(set(names))


def test_facts_fill_the_sentence_and_terms_follow_the_language() -> None:
    refused = Refused(Code.NUMBER_LENGTH, what=Term("卡号", "Card number"), expected=9, got=8)
    assert refused.text("zh-Hans") == refused.text("ZH-cn") == "卡号应为9位，实际8位。"
    assert refused.text("en") == refused.text("en-GB") == "Card number must have 9 characters, got 8."
    assert refused.todo("zh") == "请按证件或卡面逐位核对后重新输入。"
    assert str(refused) == "1001 Card number must have 9 characters, got 8."
    assert refused.http == 422


def test_a_missing_fact_does_not_hide_the_refusal() -> None:
    assert Refused(Code.NUMBER_LENGTH).text("en") == "? must have ? characters, got ?."


@pytest.mark.parametrize("duplicate", [copy.copy, lambda refused: pickle.loads(pickle.dumps(refused))])
def test_a_refusal_crosses_a_process_border_whole(duplicate: object) -> None:
    refused = Refused(Code.NUMBER_CHECK, what=Term("卡号", "Card number"))
    again = duplicate(refused)  # type: ignore[operator]
    assert (again.code, again.facts, str(again)) == (refused.code, refused.facts, str(refused))


def test_a_term_reads_in_its_language() -> None:
    term = Term("卡号", "Card number")
    assert (term.text("zh"), term.text("fr"), str(term)) == ("卡号", "Card number", "Card number")
