"""Names survive whole: a wrong character in a name is another person, and a cut one is nobody."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sheka.foundation.names import MARK, gbk_fields, name_of_fields, normalise_name, rare_characters
from sheka.foundation.refusals import Code, Refused

COMMON = "王李张欧阳娜强·"
RARE = "䶮㛃𬭶𫖯𣲘𬍛龴"
han = st.one_of(
    st.sampled_from(COMMON),
    st.sampled_from(RARE),
    st.characters(min_codepoint=0x3400, max_codepoint=0x4DBF),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
    st.characters(min_codepoint=0x20000, max_codepoint=0x2A6DF),
    st.characters(min_codepoint=0xF900, max_codepoint=0xFA2D),
)


@given(st.text(han, min_size=1, max_size=30))
def test_what_fits_in_the_chip_comes_back_whole(text: str) -> None:
    name = normalise_name(text)
    try:
        fields = gbk_fields(name)
    except Refused as refused:
        assert refused.code is Code.NAME_TOO_LONG
        rare = len("".join(rare_characters(name)).encode("gb18030"))
        assert 2 * len(name) + rare > min(30, 2 * len(name)) + 20
        return
    assert (len(fields.main), len(fields.extension)) == (30, 20)
    assert name_of_fields(*fields) == name


@given(st.text(han, min_size=1, max_size=15))
def test_a_reader_that_knows_only_gbk_sees_marks_and_no_rubbish(text: str) -> None:
    name = normalise_name(text)
    assume(len("".join(rare_characters(name)).encode("gb18030")) <= 20)
    shown = gbk_fields(name).main.rstrip(b"\0").decode("gbk")
    assert shown == "".join(MARK if character in rare_characters(name) else character for character in name)


def test_a_name_in_gbk_is_stored_as_the_notice_says() -> None:
    fields = gbk_fields("张三")
    assert fields.main == "张三".encode("gbk") + bytes(26) and fields.extension == bytes(20)
    long = "阿布都热依木江·阿布都克热木阿吉"
    fields = gbk_fields(long)
    assert fields.main + fields.extension == long.encode("gbk").ljust(50, b"\0")


def test_every_character_that_gbk_lacks_comes_back() -> None:
    """All of the Basic plane's ideographs and samples of the planes beyond, one by one."""
    codes = [*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000), *range(0xF900, 0xFA2E), *range(0x20000, 0x33480, 97)]
    for code in codes:
        name = f"王{chr(code)}"
        if unicodedata.category(chr(code)) != "Cn" or code >= 0x20000:
            assert name_of_fields(*gbk_fields(name)) == name, hex(code)


def test_ascii_and_odd_bytes_at_the_border_of_the_items() -> None:
    name = "A" + "张" * 15 + "三"
    fields = gbk_fields(name)
    assert len(fields.main.rstrip(b"\0")) == 29
    assert name_of_fields(*fields) == name


@pytest.mark.parametrize("name", ["张" * 26, "䶮" * 11, "𬭶" * 6, "A" * 51])
def test_a_name_is_never_cut(name: str, refused_by: Any) -> None:
    with refused_by(Code.NAME_TOO_LONG) as found:
        gbk_fields(name)
    assert found[0].facts["needed"] > found[0].facts["available"]


@pytest.mark.parametrize("name", ["张" * 25, "䶮" * 10, "𬭶" * 5, "A" * 50])
def test_the_longest_names(name: str) -> None:
    assert name_of_fields(*gbk_fields(name)) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  张三\n", "张三"),
        ("张\u3000三", "张三"),
        ("张 三", "张三"),
        ("ＪＯＨＮ　Smith", "JOHN Smith"),
        ("Jean  Paul\tO’Neill", "Jean Paul O’Neill"),
        ("古丽•热合曼", "古丽·热合曼"),
        ("古丽・热合曼", "古丽·热合曼"),
        ("Jose\u0301", "José"),
        ("王\ue863", "王䶮"),
        ("王\ue854", "王\u9fba"),
        ("王\ue816", "王\U00020087"),
        ("王〇々", "王〇々"),
        ("王\U000323b0", "王\U000323b0"),
    ],
)
def test_normalisation(text: str, name: str) -> None:
    assert normalise_name(text) == name


@given(st.text(han, min_size=1, max_size=12))
def test_normalisation_is_final_and_keeps_every_ideograph(text: str) -> None:
    name = normalise_name(text)
    assert normalise_name(name) == name == text


def test_a_compatibility_ideograph_stays_the_character_of_the_register() -> None:
    assert unicodedata.normalize("NFC", "\uf92c") != "\uf92c"
    assert normalise_name("\uf92c\U0002f804e\u0301") == "\uf92c\U0002f804é"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.NAME_EMPTY),
        (" \u3000", Code.NAME_EMPTY),
        ("张三1", Code.NAME_CHARACTER),
        ("张\u200b三", Code.NAME_CHARACTER),
        ("张\u202e三", Code.NAME_CHARACTER),
        ("张三<b>", Code.NAME_CHARACTER),
        ("张\x00三", Code.NAME_CHARACTER),
        ("张\ud800", Code.NAME_CHARACTER),
        ("王〓", Code.NAME_CHARACTER),
        ("王\U0001f600", Code.NAME_CHARACTER),
        ("王\U0002ffff", Code.NAME_CHARACTER),
        ("王\ue000", Code.NAME_PRIVATE_CHARACTER),
        ("王\U000f0000", Code.NAME_PRIVATE_CHARACTER),
    ],
)
def test_name_refusals(text: str, code: Code, refused_by: Any) -> None:
    with refused_by(code) as found:
        normalise_name(text)
    assert code is Code.NAME_EMPTY or str(found[0].facts["character"]).startswith("U+")


@given(st.text(max_size=20))
def test_any_text_is_a_name_or_a_refusal(text: str) -> None:
    try:
        assert normalise_name(normalise_name(text)) == normalise_name(text)
    except Refused as refused:
        assert refused.code.name.startswith("NAME_")


def test_a_card_without_the_extension_gives_what_it_has() -> None:
    assert name_of_fields("张三".encode("gbk").ljust(30, b"\0")) == "张三"
    assert name_of_fields("王〓".encode("gbk"), bytes(20)) == "王〓"


def test_a_card_written_in_gb18030_elsewhere_reads_as_the_standard_character() -> None:
    assert name_of_fields("王".encode("gbk") + bytes.fromhex("fe59")) == "王\u9fb4"
    assert name_of_fields("王䶮".encode("gb18030")) == "王䶮"


@pytest.mark.parametrize(
    ("main", "extension"),
    [
        (b"\xff\xff", b""),
        ("王".encode("gbk"), b"\x81"),
        ("〓〓".encode("gbk"), "䶮".encode("gb18030")),
        ("王".encode("gbk"), "䶮〓".encode("gb18030")),
    ],
)
def test_a_broken_name_in_a_card_is_refused(main: bytes, extension: bytes, refused_by: Any) -> None:
    with refused_by(Code.NAME_FIELD):
        name_of_fields(main, extension)


@given(st.binary(max_size=30), st.binary(max_size=20))
def test_any_bytes_are_a_name_or_a_refusal(main: bytes, extension: bytes) -> None:
    try:
        assert isinstance(name_of_fields(main, extension), str)
    except Refused as refused:
        assert refused.code is Code.NAME_FIELD
