"""The numbers on and in a card: card number, identification code, issuer, initialiser, terminal (card.md §4).

Values are made by `parse` (what somebody typed or a chip answered) or by their generator; both leave only values
that hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sheka.foundation.numbers.check_digits import card_check
from sheka.foundation.numbers.masking import mask_card_number
from sheka.foundation.numbers.shape import (
    DIGIT,
    DIGIT_OR_LETTER,
    DIGIT_OR_X,
    DIGITS,
    HEX_DIGIT,
    HEX_DIGITS,
    LETTERS,
    Octets,
    check_characters,
    check_length,
    check_prefix,
    check_region_shape,
    tidy,
)
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

CARD_NUMBER = Term("卡号", "Card number")
CARD_IDENTIFICATION_CODE = Term("卡的识别码", "Card identification code")
ISSUER_IDENTIFICATION_NUMBER = Term("发卡机构标识号", "Issuer identification number")
INITIALISING_ORGANISATION = Term("初始化机构编号", "Initialising organisation")
TERMINAL_NUMBER = Term("终端机编号", "Terminal number")


@dataclass(frozen=True, slots=True, order=True)
class CardNumber:
    """The nine characters on the card surface and in item 07: a district letter, seven characters, a check character.

    >>> CardNumber.parse("d2143569x").district
    'D'
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> CardNumber:
        """From what somebody typed. Refused: NUMBER_LENGTH, NUMBER_DISTRICT, NUMBER_CHARACTER, NUMBER_CHECK."""
        clean = tidy(text)
        check_length(CARD_NUMBER, clean, 9)
        _check_card_body(clean[:8])
        check_characters(CARD_NUMBER, clean[8], DIGITS | {"X"}, DIGIT_OR_X, 9)
        if clean[8] != card_check(clean[:8]):
            raise Refused(Code.NUMBER_CHECK, what=CARD_NUMBER)
        return cls(clean)

    @property
    def district(self) -> str:
        """The letter of the issuing district."""
        return self.text[0]

    @property
    def serial(self) -> str:
        """The seven characters that the district assigned."""
        return self.text[1:8]

    @property
    def masked(self) -> str:
        return mask_card_number(self.text)

    @property
    def bytes(self) -> Octets:
        """Nine bytes, as item 07 (an 09) holds them."""
        return self.text.encode("ascii")

    def __str__(self) -> str:
        return self.text


def card_number(district_and_serial: str) -> CardNumber:
    """The card number of a district letter and seven characters, check character added.

    >>> card_number("ET000077").text
    'ET000077X'
    """
    body = tidy(district_and_serial)
    check_length(CARD_NUMBER, body, 8)
    _check_card_body(body)
    return CardNumber(body + card_check(body))


def _check_card_body(body: str) -> None:
    if body[0] not in LETTERS:
        raise Refused(Code.NUMBER_DISTRICT, what=CARD_NUMBER, got=body[0])
    check_characters(CARD_NUMBER, body, DIGITS | LETTERS, DIGIT_OR_LETTER)


@dataclass(frozen=True, slots=True)
class CardIdentificationCode:
    """The 16 bytes of item 01: region 3 (BCD) ‖ D156000005 ‖ card serial 4 ‖ authentication code 4.

    The authentication code is a MAC over `signed_part` under the card's internal authentication key; this class
    does not
    compute it. The serial is the same four bytes as in the card's answer to reset.
    """

    region: str
    serial: Octets
    authentication_code: Octets

    PROVIDER: ClassVar[str] = "D156000005"

    @classmethod
    def parse(cls, code: str | Octets) -> CardIdentificationCode:
        """From 16 bytes or 32 hexadecimal characters. Refused: NUMBER_LENGTH, NUMBER_CHARACTER,
        NUMBER_REGION_PART, NUMBER_PREFIX.
        """
        text = code.hex().upper() if isinstance(code, bytes) else tidy(code)
        check_length(CARD_IDENTIFICATION_CODE, text, 32)
        check_characters(CARD_IDENTIFICATION_CODE, text, HEX_DIGITS, HEX_DIGIT)
        check_region_shape(CARD_IDENTIFICATION_CODE, text[:6])
        check_prefix(CARD_IDENTIFICATION_CODE, text[6:], cls.PROVIDER, 7)
        return cls(text[:6], bytes.fromhex(text[16:24]), bytes.fromhex(text[24:]))

    @classmethod
    def make(cls, region: str, serial: int, authentication_code: Octets) -> CardIdentificationCode:
        """For a new card: serial 0 to 99,999,999, written as eight decimal digits. Refused: NUMBER_REGION_PART,
        NUMBER_SEQUENCE.
        """
        check_region_shape(CARD_IDENTIFICATION_CODE, region)
        digits = _sequence(CARD_IDENTIFICATION_CODE, serial, 8)
        if len(authentication_code) != 4:
            raise Refused(Code.NUMBER_LENGTH, what=CARD_IDENTIFICATION_CODE, expected=4, got=len(authentication_code))
        return cls(region, bytes.fromhex(digits), authentication_code)

    @staticmethod
    def part_to_sign(region: str, serial: int) -> Octets:
        """The first 12 bytes of a new card's code, over which its authentication code is computed."""
        return CardIdentificationCode.make(region, serial, bytes(4)).signed_part

    @property
    def signed_part(self) -> Octets:
        """The first 12 bytes: region, provider, serial."""
        return bytes.fromhex(self.region + self.PROVIDER) + self.serial

    @property
    def bytes(self) -> Octets:
        """All 16 bytes."""
        return self.signed_part + self.authentication_code

    @property
    def text(self) -> str:
        """32 hexadecimal characters, upper case."""
        return self.bytes.hex().upper()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class IssuerIdentificationNumber:
    """The number that the ministry assigns to an issuing area once: 9156000002 (ISO/IEC 7812: industry 9, country
    156,
    issuer 000002) and the area's six-digit region, 16 digits.

    The public sources show only the compound of item 03; that its first eight bytes are the issuer's number is our
    own
    (local) reading, and it makes the number unique by region.

    >>> IssuerIdentificationNumber.of("460100").text
    '9156000002460100'
    """

    text: str

    PREFIX: ClassVar[str] = "9156000002"

    @classmethod
    def parse(cls, text: str) -> IssuerIdentificationNumber:
        """From 16 digits. Refused: NUMBER_LENGTH, NUMBER_CHARACTER, NUMBER_PREFIX, NUMBER_REGION_PART."""
        clean = tidy(text)
        check_length(ISSUER_IDENTIFICATION_NUMBER, clean, 16)
        check_characters(ISSUER_IDENTIFICATION_NUMBER, clean, DIGITS, DIGIT)
        check_prefix(ISSUER_IDENTIFICATION_NUMBER, clean, cls.PREFIX)
        check_region_shape(ISSUER_IDENTIFICATION_NUMBER, clean[10:])
        return cls(clean)

    @classmethod
    def of(cls, region: str) -> IssuerIdentificationNumber:
        """The number of an area. Refused: NUMBER_REGION_PART."""
        return cls(cls.PREFIX + check_region_shape(ISSUER_IDENTIFICATION_NUMBER, region))

    @property
    def region(self) -> str:
        """The issuing area."""
        return self.text[10:]

    @property
    def bytes(self) -> Octets:
        """Eight bytes BCD."""
        return bytes.fromhex(self.text)

    def initialiser(self, region: str, sequence: int) -> InitialisingOrganisation:
        """An organisation that initialises cards for this issuer: its region and its number, 0 to 99."""
        check_region_shape(INITIALISING_ORGANISATION, region)
        return InitialisingOrganisation(self.text + region + _sequence(INITIALISING_ORGANISATION, sequence, 2))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class InitialisingOrganisation:
    """The 12 bytes of item 03: 9156000002 ‖ issuing region 3 ‖ initialiser's region 3 ‖ sequence 1.

    >>> InitialisingOrganisation.parse("9156000002 110000 110100 02").initialiser_region
    '110100'
    """

    text: str

    @classmethod
    def parse(cls, number: str | Octets) -> InitialisingOrganisation:
        """From 24 digits or 12 bytes BCD. Refused: NUMBER_LENGTH, NUMBER_CHARACTER, NUMBER_PREFIX,
        NUMBER_REGION_PART.
        """
        clean = number.hex().upper() if isinstance(number, bytes) else tidy(number)
        check_length(INITIALISING_ORGANISATION, clean, 24)
        check_characters(INITIALISING_ORGANISATION, clean, DIGITS, DIGIT)
        check_prefix(INITIALISING_ORGANISATION, clean, IssuerIdentificationNumber.PREFIX)
        check_region_shape(INITIALISING_ORGANISATION, clean[10:16])
        check_region_shape(INITIALISING_ORGANISATION, clean[16:22])
        return cls(clean)

    @property
    def issuer(self) -> IssuerIdentificationNumber:
        return IssuerIdentificationNumber(self.text[:16])

    @property
    def issuing_region(self) -> str:
        return self.text[10:16]

    @property
    def initialiser_region(self) -> str:
        return self.text[16:22]

    @property
    def sequence(self) -> int:
        return int(self.text[22:])

    @property
    def bytes(self) -> Octets:
        """Twelve bytes BCD."""
        return bytes.fromhex(self.text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class TerminalNumber:
    """The six bytes (12 digits) of a terminal: issuing region, then six digits of the PSAM issuer.

    >>> terminal_number("460100", 1).text
    '460100000001'
    """

    text: str

    @classmethod
    def parse(cls, number: str | Octets) -> TerminalNumber:
        """From 12 digits or 6 bytes BCD. Refused: NUMBER_LENGTH, NUMBER_CHARACTER, NUMBER_REGION_PART."""
        clean = number.hex().upper() if isinstance(number, bytes) else tidy(number)
        check_length(TERMINAL_NUMBER, clean, 12)
        check_characters(TERMINAL_NUMBER, clean, DIGITS, DIGIT)
        check_region_shape(TERMINAL_NUMBER, clean[:6])
        return cls(clean)

    @property
    def region(self) -> str:
        return self.text[:6]

    @property
    def sequence(self) -> int:
        return int(self.text[6:])

    @property
    def bytes(self) -> Octets:
        """Six bytes BCD."""
        return bytes.fromhex(self.text)

    def __str__(self) -> str:
        return self.text


def terminal_number(region: str, sequence: int) -> TerminalNumber:
    """The number of a region's terminal, sequence 0 to 999,999. Refused: NUMBER_REGION_PART, NUMBER_SEQUENCE."""
    check_region_shape(TERMINAL_NUMBER, region)
    return TerminalNumber(region + _sequence(TERMINAL_NUMBER, sequence, 6))


def _sequence(what: Term, value: int, digits: int) -> str:
    highest = 10**digits - 1
    if not 0 <= value <= highest:
        raise Refused(Code.NUMBER_SEQUENCE, what=what, low=0, high=highest, got=value)
    return f"{value:0{digits}d}"
