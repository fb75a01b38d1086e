"""Invented people: the demo and the story must show what real registers hold, with nobody real in it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sheka.foundation.ethnic_groups import ETHNIC_GROUPS
from sheka.foundation.names import gbk_fields, name_of_fields, normalise_name, rare_characters
from sheka.foundation.numbers import SocialSecurityNumber
from sheka.foundation.people import OLDEST, REFERENCE_DAY, synthetic_people
from sheka.foundation.refusals import Code
from sheka.foundation.regions import is_within

PEOPLE = synthetic_people(500, "460100", 1)


def test_the_same_seed_gives_the_same_people_and_another_others() -> None:
    assert synthetic_people(500, "460100", 1) == PEOPLE
    assert synthetic_people(20, "460100", 1) == PEOPLE[:20]
    assert synthetic_people(20, "460100", 2) != PEOPLE[:20]


def test_numbers_hold_and_agree_with_the_person() -> None:
    assert len({person.social_security_number for person in PEOPLE}) == 500
    for person in PEOPLE:
        number = SocialSecurityNumber.parse(person.social_security_number, on=REFERENCE_DAY)
        assert (number.birth, number.sex) == (person.birth, person.sex)
        assert number.region is not None and is_within(number.region, "460100")
        assert number.sequence is not None and 900 <= number.sequence < 990
        assert number.doubts(REFERENCE_DAY) == ()
        assert 0 <= person.age_on(REFERENCE_DAY) <= OLDEST


def test_every_age_group_of_the_card_classes_is_there() -> None:
    ages = [person.age_on(REFERENCE_DAY) for person in PEOPLE]
    for youngest, oldest in ((0, 5), (6, 15), (16, 69), (70, 99)):
        assert any(youngest <= age <= oldest for age in ages)


def test_names_are_clean_fit_in_the_chip_and_include_the_hard_ones() -> None:
    for person in PEOPLE:
        assert normalise_name(person.name) == person.name
        assert name_of_fields(*gbk_fields(person.name)) == person.name
    assert any(rare_characters(person.name) for person in PEOPLE)
    assert any(len(person.name) > 15 for person in PEOPLE)
    assert any("·" in person.name for person in PEOPLE)


def test_telephone_numbers_are_nobodys_and_addresses_fit_in_the_card() -> None:
    assert len({person.phone for person in PEOPLE}) == 500
    for person in PEOPLE:
        assert len(person.phone) == 11 and person.phone.startswith("10") and person.phone.isdigit()
        assert "示例路" in person.address and person.address.startswith("海南省海口市")
        assert len(person.address.encode("gbk")) <= 80


def test_ethnic_groups_are_of_the_standard() -> None:
    assert len(ETHNIC_GROUPS) == 57 and ETHNIC_GROUPS["01"] == "汉族" and ETHNIC_GROUPS["56"] == "基诺族"
    assert len(set(ETHNIC_GROUPS.values())) == 57
    assert {person.ethnic_group_name for person in PEOPLE} > {"汉族", "黎族", "维吾尔族"}


def test_a_county_a_province_and_another_day() -> None:
    assert all(person.social_security_number[:6] == "469001" for person in synthetic_people(5, "469001", 1))
    assert all(person.social_security_number[:2] == "46" for person in synthetic_people(5, "460000", 1))
    old = synthetic_people(50, "460100", 1, on=date(2000, 1, 1))
    assert all(person.birth <= date(2000, 1, 1) for person in old)


def test_regions_without_people(refused_by: Any) -> None:
    with refused_by(Code.REGION_UNKNOWN):
        synthetic_people(1, "469999", 1)
    with pytest.raises(ValueError, match="810000 has no county"):
        synthetic_people(1, "810000", 1)
