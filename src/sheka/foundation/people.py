"""Invented people for the demo world, the story and the tests: seeded, with check digits that hold, and nobody real.

Numbers use sequences 900 to 989 of their region and birthday, which real registers hardly ever reach; telephone numbers
begin with 10, as no mobile number does; roads are called 示例路 (example road).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from sheka.foundation.ethnic_groups import ETHNIC_GROUPS
from sheka.foundation.numbers import Sex, age_on, social_security_number
from sheka.foundation.regions import Level, counties, full_name, region

OLDEST = 99
REFERENCE_DAY = date(2026, 1, 1)

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢符云"
)
_COMPOUND_SURNAMES = ("欧阳", "司徒", "上官", "诸葛", "慕容")
_GIVEN_MALE = "伟强军勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林海洲"
_GIVEN_FEMALE = "芳娜敏静丽艳娟霞秀燕玲桂丹萍红玉兰梅莉秋婷雪慧琳颖倩云岚椰珊"
# Each of these is missing from GBK; the first two stand in the Basic and Extension A planes, the rest beyond.
_RARE = ("䶮", "㛃", "𬭶", "𫖯", "𣲘", "𬍛")
_LONG_NAMES = ("古丽娜尔·热合曼", "阿依夏木·托合提", "阿布都热依木江·阿布都克热木阿吉", "买买提艾力·吐尔逊")
_ROADS = ("椰风", "海秀", "滨江", "金贸", "红城", "文明", "白沙", "长堤")
_SEQUENCES = range(900, 990)
_UYGUR = "05"
_GROUPS_HERE = ("01",) * 16 + ("19", "06", "08", "03")


@dataclass(frozen=True, slots=True)
class SyntheticPerson:
    """One invented person. The number is the whole text; ethnic group is the code of GB/T 3304."""

    social_security_number: str
    name: str
    sex: Sex
    birth: date
    ethnic_group: str
    phone: str
    address: str

    @property
    def ethnic_group_name(self) -> str:
        return ETHNIC_GROUPS[self.ethnic_group]

    def age_on(self, day: date) -> int:
        """Full years on a day."""
        return age_on(self.birth, day)


def synthetic_people(
    count: int, region_code: str, seed: int | str, *, on: date = REFERENCE_DAY
) -> list[SyntheticPerson]:
    """`count` different people of a province, city or county: the same for the same arguments, on any machine.

    Aged 0 to 99 on the day `on`. About one name in 25 has a character beyond GBK, one in 50 is long enough for the name
    extension of the chip or has a middle dot. Refused: REGION_UNKNOWN. ValueError when a region has no county in force.
    """
    places = _places(region_code)
    chance = random.Random(f"{region_code}/{seed}")  # noqa: S311 - invented data, nothing secret
    people: list[SyntheticPerson] = []
    taken: set[str] = set()
    while len(people) < count:
        person = _person(chance, len(people), chance.choice(places), on)
        if person.social_security_number not in taken:
            taken.add(person.social_security_number)
            people.append(person)
    return people


def _places(region_code: str) -> list[str]:
    found = region(region_code)
    places = [found.code] if found.level is Level.COUNTY else [row.code for row in counties(region_code)]
    if not places:
        raise ValueError(f"{region_code} has no county in force")
    return places


def _person(chance: random.Random, number: int, place: str, on: date) -> SyntheticPerson:
    birth = on - timedelta(days=chance.randrange(OLDEST * 365))
    sequence = chance.choice(_SEQUENCES)
    sex = Sex.MALE if sequence % 2 else Sex.FEMALE
    group = chance.choice(_GROUPS_HERE)
    name = _name(chance, sex)
    if chance.randrange(50) == 0:
        group, name = _UYGUR, chance.choice(_LONG_NAMES)
    return SyntheticPerson(
        social_security_number=social_security_number(place, birth, sequence).text,
        name=name,
        sex=sex,
        birth=birth,
        ethnic_group=group,
        phone=f"10{chance.randrange(10**4):04d}{number % 10**5:05d}",
        address=f"{full_name(place)}{chance.choice(_ROADS)}示例路{chance.randrange(1, 400)}号",
    )


def _name(chance: random.Random, sex: Sex) -> str:
    surname = chance.choice(_COMPOUND_SURNAMES) if chance.randrange(40) == 0 else chance.choice(_SURNAMES)
    given = _GIVEN_MALE if sex is Sex.MALE else _GIVEN_FEMALE
    first = chance.choice(_RARE) if chance.randrange(25) == 0 else chance.choice(given)
    return surname + first + (chance.choice(given) if chance.randrange(3) else "")
