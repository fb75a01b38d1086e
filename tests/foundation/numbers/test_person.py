"""The social security number: a wrong one costs somebody their pension record, a valid one refused turns them away."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheka.foundation.numbers import (
    PersonKind,
    Sex,
    SocialSecurityNumber,
    age_on,
    assigned_number,
    luhn_holds,
    person_check,
    social_security_number,
)
from sheka.foundation.refusals import Code, Refused

VECTORS = Path(__file__).parents[2] / "vectors" / "crypto.json"
TODAY = date(2026, 11, 21)

numbers = st.builds(
    social_security_number,
    st.integers(100000, 899999).map(str),
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(0, 999),
)


def id_vectors() -> list[dict[str, object]]:
    return [row for row in json.loads(VECTORS.read_text("utf-8"))["vectors"] if row["group"] == "ID"]


@pytest.mark.parametrize("vector", id_vectors(), ids=lambda row: row["name"])
def test_shared_vectors(vector: dict[str, dict[str, str]]) -> None:
    inputs = vector["inputs"]
    if "body17" in inputs:
        assert person_check(inputs["body17"]) == vector["expected"]
    else:
        assert luhn_holds(inputs["number"]) is vector["expected"]


def test_there_are_vectors_of_both_schemes() -> None:
    kinds = {"body17" if "body17" in row["inputs"] else "number" for row in id_vectors()}
    assert kinds == {"body17", "number"}


def test_parts_of_the_standards_example() -> None:
    number = SocialSecurityNumber.parse("11010519491231002X")
    assert (number.region, number.birth, number.sequence, number.sex) == ("110105", date(1949, 12, 31), 2, Sex.FEMALE)
    assert (number.kind, number.nationality) == (PersonKind.CITIZEN, "CHN")
    assert number.bytes == b"11010519491231002X"
    assert number.doubts(TODAY) == ()


@given(numbers)
def test_what_is_generated_parses_to_the_same_parts(number: SocialSecurityNumber) -> None:
    again = SocialSecurityNumber.parse(number.text, on=TODAY)
    assert again == number
    assert again.birth is not None and f"{again.birth:%Y%m%d}" == number.text[6:14]
    assert again.sex is (Sex.MALE if int(number.text[14:17]) % 2 else Sex.FEMALE)


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_is_always_found(number: SocialSecurityNumber, place: int, wrong: str) -> None:
    text = number.text[:place] + wrong + number.text[place + 1 :]
    if text != number.text:
        with pytest.raises(Refused):
            SocialSecurityNumber.parse(text, on=TODAY)


@given(numbers, st.integers(0, 16))
def test_two_swapped_neighbours_are_always_found(number: SocialSecurityNumber, place: int) -> None:
    text = number.text
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    if swapped != text:
        with pytest.raises(Refused):
            SocialSecurityNumber.parse(swapped, on=TODAY)


@given(st.text(max_size=24))
def test_any_text_is_a_number_or_a_refusal(text: str) -> None:
    try:
        assert len(SocialSecurityNumber.parse(text, on=TODAY).text) == 18
    except Refused as refused:
        assert 1001 <= refused.number <= 1099


@pytest.mark.parametrize(
    "typed",
    [
        " 110105 19491231 002x ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "11010519491231002x\n",
        "110105\u300019491231002X",
    ],
)
def test_how_people_type_it(typed: str) -> None:
    assert SocialSecurityNumber.parse(typed).text == "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.NUMBER_LENGTH),
        ("1101051949123100", Code.NUMBER_LENGTH),
        ("110105194912310021X", Code.NUMBER_LENGTH),
        ("110105491231002", Code.NUMBER_FIFTEEN_DIGITS),
        ("DEU110080101001", Code.NUMBER_OLD_PERMIT),
        ("1101O519491231002X", Code.NUMBER_CHARACTER),
        ("110105194912310٠2X", Code.NUMBER_CHARACTER),
        ("11010519491231002A", Code.NUMBER_CHARACTER),
        ("X10105194912310021", Code.NUMBER_CHARACTER),
        ("01010519491231002X", Code.NUMBER_REGION_PART),
        ("110105190002290021", Code.NUMBER_DATE),
        ("110105194913310021", Code.NUMBER_DATE),
        ("110105000001010021", Code.NUMBER_DATE),
        ("110105194912310020", Code.NUMBER_CHECK),
        ("110105204912310021", Code.NUMBER_DATE_FUTURE),
    ],
)
def test_a_refusal_names_the_wrong_part(text: str, code: Code, refused_by: Any) -> None:
    with refused_by(code):
        SocialSecurityNumber.parse(text, on=TODAY)


def test_the_sentence_points_at_the_position() -> None:
    with pytest.raises(Refused) as caught:
        SocialSecurityNumber.parse("1101O519491231002X")
    assert caught.value.text("en") == ("Social security number, position 5: “O” cannot stand there, only a digit 0–9.")
    assert caught.value.text("zh-Hans") == "社会保障号码第5位“O”不对：这一位应为数字0–9。"


def test_somebody_born_today_is_accepted_and_tomorrow_refused(refused_by: Any) -> None:
    text = social_security_number("460106", TODAY, 1).text
    assert SocialSecurityNumber.parse(text, on=TODAY).birth == TODAY
    with refused_by(Code.NUMBER_DATE_FUTURE):
        SocialSecurityNumber.parse(text, on=date(2026, 11, 20))


@pytest.mark.parametrize(
    ("region", "kind"),
    [("810000", PersonKind.HONG_KONG), ("820000", PersonKind.MACAO), ("830000", PersonKind.TAIWAN)],
)
def test_residence_permits(region: str, kind: PersonKind) -> None:
    number = SocialSecurityNumber.parse(social_security_number(region, date(1990, 1, 1), 5).text)
    assert (number.kind, number.region, number.nationality) == (kind, region, "CHN")
    assert number.doubts(TODAY) == ()


def test_foreign_permanent_resident() -> None:
    number = SocialSecurityNumber.parse(social_security_number("946276", date(1980, 2, 29), 4).text)
    assert (number.kind, number.region, number.nationality) == (PersonKind.FOREIGN_PERMANENT, "460000", "276")
    assert (number.birth, number.sex) == (date(1980, 2, 29), Sex.FEMALE)
    assert number.doubts(TODAY) == ()


def test_assigned_number_has_no_birth_and_says_so() -> None:
    number = assigned_number("DEU", "c01x00t47")
    assert number.text == "DEU000000C01X00T47"
    assert (number.kind, number.nationality, number.region) == (PersonKind.FOREIGN_ASSIGNED, "DEU", None)
    assert (number.birth, number.sequence, number.sex) == (None, None, Sex.UNSTATED)
    assert [doubt.code for doubt in number.doubts(TODAY)] == [Code.NUMBER_WITHOUT_CHECK]


@pytest.mark.parametrize(
    ("nationality", "document", "reserved", "code"),
    [
        ("DEU", "C01X00T47", 10, Code.NUMBER_SEQUENCE),
        ("DEU", "C01-00T47", 0, Code.NUMBER_CHARACTER),
        ("DEU", "123456789012345", 0, Code.NUMBER_LENGTH),
    ],
)
def test_assigned_number_refusals(nationality: str, document: str, reserved: int, code: Code, refused_by: Any) -> None:
    with refused_by(code):
        assigned_number(nationality, document, reserved)


def codes_of(text: str) -> list[Code]:
    return [doubt.code for doubt in SocialSecurityNumber.parse(text, on=TODAY).doubts(TODAY)]


@pytest.mark.parametrize("region", ["500101", "310115", "460400", "460106", "330113"])
def test_a_code_younger_than_its_holder_is_right(region: str) -> None:
    """A number carries the code of the first registration: python-stdnum refuses these people."""
    assert codes_of(social_security_number(region, date(1980, 1, 1), 1).text) == []


@pytest.mark.parametrize(
    ("region", "birth"), [("442100", date(1985, 1, 1)), ("460022", date(1990, 6, 1)), ("110103", date(2010, 10, 31))]
)
def test_a_code_retired_later_is_right_for_life(region: str, birth: date) -> None:
    assert codes_of(social_security_number(region, birth, 1).text) == []


def test_a_code_retired_before_the_birth_is_doubted_not_refused() -> None:
    number = SocialSecurityNumber.parse(social_security_number("460022", date(1999, 1, 1), 1).text)
    (doubt,) = number.doubts(TODAY)
    assert doubt.code is Code.NUMBER_REGION_RETIRED and doubt.number == 1021
    assert "文昌县" in doubt.text("zh-Hans") and "1995-12-31" in doubt.text("en")
    assert "?" not in doubt.text("en") + doubt.todo("en") + doubt.text("zh") + doubt.todo("zh")


def test_other_doubts() -> None:
    assert codes_of(social_security_number("119999", date(1990, 1, 1), 1).text) == [Code.NUMBER_REGION_UNKNOWN]
    assert codes_of(social_security_number("110105", date(1905, 1, 1), 1).text) == [Code.NUMBER_AGE]
    assert codes_of(social_security_number("946999", date(1990, 1, 1), 1).text) == [Code.NUMBER_COUNTRY_UNKNOWN]


def test_it_does_not_slip_into_a_log() -> None:
    number = SocialSecurityNumber.parse("11010519491231002X")
    assert "1949" not in f"{number} {number!r} {[number]}"


@pytest.mark.parametrize("sequence", [-1, 1000])
def test_sequence_outside_the_range(sequence: int, refused_by: Any) -> None:
    with refused_by(Code.NUMBER_SEQUENCE):
        social_security_number("460106", date(1990, 1, 1), sequence)


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(2010, 11, 22), TODAY, 15),
        (date(2010, 11, 21), TODAY, 16),
        (date(2012, 2, 29), date(2026, 2, 28), 13),
        (date(2012, 2, 29), date(2026, 3, 1), 14),
    ],
)
def test_age(birth: date, day: date, age: int) -> None:
    assert age_on(birth, day) == age
