"""Telling a counterfeit from a genuine card (C1): ATR, authentication code and internal authentication must agree.

The keys stay in the encryption machine; here the card's answers are compared with what the machine expects.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sheka.equipment.card_reader.identity import PublicIdentity
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.numbers import CardIdentificationCode
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

SOURCE_BYTES = 8
_BLANK_SERIAL = b"\xff" * 4

ExpectedAnswer = Callable[[bytes, bytes], bytes]
"""(card factor 8, source 8) → the 8 bytes a genuine card answers; the process factor is the card factor.
With the machine: `lambda factor, source: machine.internal_authentication(irk_ref, [factor], [source])[0]`."""

ExpectedCode = Callable[[bytes, bytes], bytes]
"""(card factor 8, first 12 bytes of the identification code) → its 4-byte authentication code.
With the machine: `lambda factor, first12: machine.card_authentication_codes(irk_ref, [factor], [first12])[0]`."""


class GenuinenessTest(Enum):
    """The tests, in the order in which they are made."""

    ATR_FORM = Term("复位应答不是社会保障卡的格式", "the answer to reset is not a social security card's")
    SERIAL = Term("复位应答与卡识别码中的序列号不一致", "the serials in answer to reset and identification code differ")
    REGION = Term("复位应答与卡识别码中的地区不一致", "the regions in answer to reset and identification code differ")
    AUTHENTICATION_CODE = Term("卡识别码的认证码错误", "the authentication code of the identification code is wrong")
    INTERNAL_AUTHENTICATION = Term("内部认证失败", "internal authentication")
    KEY_VERSION = Term("密钥版本未在使用", "the key version is not in use")
    RECORDS = Term("卡不可使用", "the card may not be used")


@dataclass(frozen=True, slots=True)
class Genuine:
    """A card that passed: its public identity and its card factor."""

    identity: PublicIdentity
    factor: bytes


def authenticate_card(
    session: CardSession,
    expected_answer: ExpectedAnswer,
    expected_code: ExpectedCode | None = None,
    *,
    version: int = 0,
) -> Genuine:
    """Prove that the card in an open session is genuine (C1).

    Parameters
    ----------
    expected_answer : what the machine computes for internal authentication, from a fresh random source of 8 bytes.
    expected_code : what the machine computes for the authentication code; left out that test is not made (a terminal
        whose PSAM cannot compute it).
    version : of the internal authentication key, 0 for the card's newest.

    Raises Refused(CARD_COUNTERFEIT, test=…) with the first test that failed; a refusal of the reader or of the machine
    as it is: a card is not a counterfeit because the machine did not answer.
    """
    try:
        factor = session.factor
    except Refused as error:
        raise _counterfeit(GenuinenessTest.ATR_FORM) from error
    session.select_sse()
    identity = session.read_public_identity()
    if (test := atr_contradicts(session.atr, identity.identification_code, session.profile)) is not None:
        raise _counterfeit(test)
    code = identity.identification_code
    if expected_code is not None and not hmac.compare_digest(
        expected_code(factor, code.signed_part), code.authentication_code
    ):
        raise _counterfeit(GenuinenessTest.AUTHENTICATION_CODE)
    source = secrets.token_bytes(SOURCE_BYTES)
    answer = _answer(session, factor, source, version)
    if not hmac.compare_digest(expected_answer(factor, source), answer):
        raise _counterfeit(GenuinenessTest.INTERNAL_AUTHENTICATION)
    return Genuine(identity, factor)


def atr_contradicts(atr: bytes, code: CardIdentificationCode, profile: CardProfile) -> GenuinenessTest | None:
    """The first test of an answer to reset against an identification code that fails; None when they agree."""
    rule = profile.atr
    historical = atr[len(rule.prefix) :]
    if not atr.startswith(rule.prefix) or len(historical) != rule.historical_bytes:
        return GenuinenessTest.ATR_FORM
    serial, region = historical[rule.serial], historical[rule.region]
    if serial == _BLANK_SERIAL or serial != code.serial:
        return GenuinenessTest.SERIAL
    city, province = code.region[:4], code.region[:2] + "00"
    return None if region.hex() in (city, province) else GenuinenessTest.REGION


def _answer(session: CardSession, factor: bytes, source: bytes, version: int) -> bytes:
    """The card's answer; a card that refuses the command fails the test, a card that was pulled out does not."""
    try:
        return session.internal_authenticate(factor, source, version=version)
    except Refused as error:
        if error.code is Code.CARD_ANSWERED:
            raise _counterfeit(GenuinenessTest.INTERNAL_AUTHENTICATION) from error
        raise


def _counterfeit(test: GenuinenessTest) -> Refused:
    return Refused(Code.CARD_COUNTERFEIT, test=test.value, kind=test.name)
