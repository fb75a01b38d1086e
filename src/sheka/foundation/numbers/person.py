"""The social security number: the 18-digit citizen number and its relatives (GB 11643; card.md §4).

Kinds and their sources:
- citizen: region 6 ‖ birth 8 ‖ sequence 3 ‖ check 1 (GB 11643-1999). The region is that of the first registration,
  so a code that was abolished long ago stays right for life: the region is doubted at most, never refused.
- residents from Hong Kong, Macao and Taiwan: the same form with region 810000, 820000, 830000 (residence permits
  since 2018).
- foreign permanent residents, cards since 2023-12-01: 9 ‖ province of application 2 ‖ nationality 3 (ISO 3166-1
  numeric) ‖ birth 8 ‖ sequence 3 ‖ check 1 (National Immigration Administration, reading rules of the 2023 card).
- other foreigners: an assigned number, nationality 3 letters ‖ reserved digit ‖ document number in 14 places (rule
  annexed to order 16 of 2011); it has no birth date, sex or check digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import IntEnum, StrEnum

from sheka.foundation import regions
from sheka.foundation.numbers.check_digits import person_check
from sheka.foundation.numbers.countries import is_country
from sheka.foundation.numbers.doubts import Doubt
from sheka.foundation.numbers.masking import mask_person_number
from sheka.foundation.numbers.shape import (
    DIGIT,
    DIGIT_OR_LETTER,
    DIGIT_OR_X,
    DIGITS,
    LETTERS,
    Octets,
    check_characters,
    check_length,
    check_region_shape,
    tidy,
)
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

SOCIAL_SECURITY_NUMBER = Term("社会保障号码", "Social security number")

_CHINA = timezone(timedelta(hours=8))
_OLDEST_AGE = 120


class Sex(IntEnum):
    """GB/T 2261.1, as item 0A holds it."""

    MALE = 1
    FEMALE = 2
    UNSTATED = 9


class PersonKind(StrEnum):
    """Whose number it is."""

    CITIZEN = "citizen"
    HONG_KONG = "hong_kong"
    MACAO = "macao"
    TAIWAN = "taiwan"
    FOREIGN_PERMANENT = "foreign_permanent"
    FOREIGN_ASSIGNED = "foreign_assigned"


_KIND_OF_PROVINCE = {"81": PersonKind.HONG_KONG, "82": PersonKind.MACAO, "83": PersonKind.TAIWAN}
_PERMIT_REGIONS = ("810000", "820000", "830000")


@dataclass(frozen=True, slots=True, repr=False)
class SocialSecurityNumber:
    """A number that holds. `str` and `repr` are masked, so that it does not slip into a log; `.text` is whole.

    >>> number = SocialSecurityNumber.parse("11010519491231002x")
    >>> number.birth.isoformat(), number.sex.name, str(number)
    ('1949-12-31', 'FEMALE', '110***********002X')
    """

    text: str

    @classmethod
    def parse(cls, text: str, *, on: date | None = None) -> SocialSecurityNumber:
        """From what somebody typed or a card answered; `on` is the day that counts as today (default: today in
        China).

        Refused: NUMBER_FIFTEEN_DIGITS, NUMBER_OLD_PERMIT, NUMBER_LENGTH, NUMBER_CHARACTER, NUMBER_REGION_PART,
        NUMBER_DATE,
        NUMBER_DATE_FUTURE, NUMBER_CHECK. What is odd but possible is in `doubts`.
        """
        clean = tidy(text)
        _refuse_old_forms(clean)
        check_length(SOCIAL_SECURITY_NUMBER, clean, 18)
        if LETTERS.issuperset(clean[:3]):
            _check_assigned(clean)
            return cls(clean)
        check_characters(SOCIAL_SECURITY_NUMBER, clean[:17], DIGITS, DIGIT)
        check_characters(SOCIAL_SECURITY_NUMBER, clean[17], DIGITS | {"X"}, DIGIT_OR_X, 18)
        check_region_shape(SOCIAL_SECURITY_NUMBER, clean[:6])
        _check_birth(_birth_of(clean), on or datetime.now(_CHINA).date())
        if clean[17] != person_check(clean[:17]):
            raise Refused(Code.NUMBER_CHECK, what=SOCIAL_SECURITY_NUMBER)
        return cls(clean)

    @property
    def kind(self) -> PersonKind:
        if not self.text[:3].isdigit():
            return PersonKind.FOREIGN_ASSIGNED
        if self.text[0] == "9":
            return PersonKind.FOREIGN_PERMANENT
        return _KIND_OF_PROVINCE.get(self.text[:2], PersonKind.CITIZEN)

    @property
    def region(self) -> str | None:
        """Region of first registration (a foreign permanent resident: province of application); None if assigned."""
        kind = self.kind
        if kind is PersonKind.FOREIGN_ASSIGNED:
            return None
        return self.text[1:3] + "0000" if kind is PersonKind.FOREIGN_PERMANENT else self.text[:6]

    @property
    def nationality(self) -> str:
        """ISO 3166-1: three letters, or three digits in the number of a foreign permanent resident."""
        kind = self.kind
        if kind is PersonKind.FOREIGN_ASSIGNED:
            return self.text[:3]
        return self.text[3:6] if kind is PersonKind.FOREIGN_PERMANENT else "CHN"

    @property
    def birth(self) -> date | None:
        """The date of birth; None in an assigned number."""
        return None if self.kind is PersonKind.FOREIGN_ASSIGNED else _birth_of(self.text)

    @property
    def sex(self) -> Sex:
        """Odd sequence: male, even: female; unstated in an assigned number."""
        if self.kind is PersonKind.FOREIGN_ASSIGNED:
            return Sex.UNSTATED
        return Sex.MALE if int(self.text[16]) % 2 else Sex.FEMALE

    @property
    def sequence(self) -> int | None:
        """The order number among those born there on that day; None in an assigned number."""
        return None if self.kind is PersonKind.FOREIGN_ASSIGNED else int(self.text[14:17])

    @property
    def masked(self) -> str:
        return mask_person_number(self.text)

    @property
    def bytes(self) -> Octets:
        """Eighteen bytes, as item 08 (an 12h) holds them."""
        return self.text.encode("ascii")

    def doubts(self, on: date | None = None) -> tuple[Doubt, ...]:
        """What is odd about the number without making it wrong: region, age, nationality, a number without a
        check digit.
        """
        birth, found = self.birth, []
        if birth is None:
            found.append(Doubt(Code.NUMBER_WITHOUT_CHECK, {"what": SOCIAL_SECURITY_NUMBER}))
        elif age_on(birth, on or datetime.now(_CHINA).date()) > _OLDEST_AGE:
            found.append(Doubt(Code.NUMBER_AGE, {"what": SOCIAL_SECURITY_NUMBER, "years": _OLDEST_AGE}))
        if not is_country(self.nationality):
            found.append(Doubt(Code.NUMBER_COUNTRY_UNKNOWN, {"what": SOCIAL_SECURITY_NUMBER, "got": self.nationality}))
        if birth is not None:
            found += _region_doubts(self.region or "", birth)
        return tuple(found)

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"SocialSecurityNumber({self.masked!r})"


def social_security_number(region: str, birth: date, sequence: int) -> SocialSecurityNumber:
    """The number of a region, a date of birth and a sequence 0 to 999 (odd: male), check digit added.

    For a foreign permanent resident `region` is 9, the province's two digits and the nationality's three.
    Refused: NUMBER_REGION_PART, NUMBER_SEQUENCE.

    >>> social_security_number("110105", date(1949, 12, 31), 2).text
    '11010519491231002X'
    """
    check_region_shape(SOCIAL_SECURITY_NUMBER, region)
    if not 0 <= sequence <= 999:
        raise Refused(Code.NUMBER_SEQUENCE, what=SOCIAL_SECURITY_NUMBER, low=0, high=999, got=sequence)
    body = f"{region}{birth:%Y%m%d}{sequence:03d}"
    return SocialSecurityNumber(body + person_check(body))


def assigned_number(nationality: str, document: str, reserved: int = 0) -> SocialSecurityNumber:
    """The number assigned to a foreigner: three letters, the reserved digit, the document number filled with 0 in
    front to 14.

    Refused: NUMBER_LENGTH, NUMBER_CHARACTER, NUMBER_SEQUENCE.

    >>> assigned_number("DEU", "C01X00T47").text
    'DEU000000C01X00T47'
    """
    clean = tidy(document)
    if not 0 <= reserved <= 9:
        raise Refused(Code.NUMBER_SEQUENCE, what=SOCIAL_SECURITY_NUMBER, low=0, high=9, got=reserved)
    return SocialSecurityNumber.parse(f"{tidy(nationality)}{reserved}{clean:0>14}")


def age_on(birth: date, day: date) -> int:
    """Full years of age on a day; who was born on 29 February has the birthday on 1 March of a common year.

    >>> age_on(date(2010, 11, 22), date(2026, 11, 21))
    15
    """
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _region_doubts(region: str, birth: date) -> list[Doubt]:
    """A region that never was in the list, or that was abolished before the holder was born.

    A code younger than the holder is no doubt: a number is given at the first registration, which may come late.
    """
    if region in _PERMIT_REGIONS:
        return []
    if not regions.is_known(region):
        return [Doubt(Code.NUMBER_REGION_UNKNOWN, {"what": SOCIAL_SECURITY_NUMBER, "region": region})]
    last = regions.region(region)
    if last.valid_to is None or last.valid_to >= birth:
        return []
    facts = {"what": SOCIAL_SECURITY_NUMBER, "region": region, "name": last.name, "retired": last.valid_to.isoformat()}
    return [Doubt(Code.NUMBER_REGION_RETIRED, facts)]


def _refuse_old_forms(clean: str) -> None:
    if len(clean) != 15:
        return
    if DIGITS.issuperset(clean):
        raise Refused(Code.NUMBER_FIFTEEN_DIGITS, what=SOCIAL_SECURITY_NUMBER)
    if LETTERS.issuperset(clean[:3]) and DIGITS.issuperset(clean[3:]):
        raise Refused(Code.NUMBER_OLD_PERMIT, what=SOCIAL_SECURITY_NUMBER)


def _check_assigned(clean: str) -> None:
    check_characters(SOCIAL_SECURITY_NUMBER, clean[3], DIGITS, DIGIT, 4)
    check_characters(SOCIAL_SECURITY_NUMBER, clean[4:], DIGITS | LETTERS, DIGIT_OR_LETTER, 5)


def _birth_of(text: str) -> date:
    """The birth date in a number of 18 digits. Refused: NUMBER_DATE."""
    digits = text[6:14]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise Refused(Code.NUMBER_DATE, what=SOCIAL_SECURITY_NUMBER, got=digits) from None


def _check_birth(birth: date, today: date) -> None:
    if birth > today:
        raise Refused(Code.NUMBER_DATE_FUTURE, what=SOCIAL_SECURITY_NUMBER, got=birth.isoformat())
