"""Is this card genuine, and may it be used? Every test in order, each with its outcome (C1).

A card in a reader here, or the facts that a reader far away collected: both are judged by the same tests. The keys stay
in the machine of the register; a test that cannot be made is told as such and makes no card false.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from sheka.equipment.card_reader.counterfeit import SOURCE_BYTES, GenuinenessTest, atr_contradicts
from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.chip.profile import CardProfile, load_profile
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import CardIdentificationCode
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

ANSWER_BYTES = 8


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a reader has of a card after one internal authentication; nothing about its holder."""

    atr: bytes
    """The whole answer to reset."""
    code: CardIdentificationCode
    algorithm: Algorithm
    key_version: int
    """Of the internal authentication key that answered."""
    process_factor: bytes
    """8 bytes, first half of the command."""
    source: bytes
    """8 bytes, the challenge of the reader: new for every check."""
    answer: bytes
    """8 bytes; empty when the card refused the command."""


class CardRegister(Protocol):
    """The issuer's side: its keys in the machine, its records. A refusal of it makes the test one that was not made."""

    def codes(self, facts: CardFacts, factor: bytes) -> list[bytes]:
        """The authentication codes that the issuer could have put on the card, one for each key version it had."""

    def answer(self, facts: CardFacts, factor: bytes) -> bytes:
        """What the genuine card answers with that key version."""

    def version(self, facts: CardFacts) -> Term | None:
        """Why the key version is not in use, None when it is."""

    def standing(self, facts: CardFacts) -> Term | None:
        """Why the card may not be used (block list, state), None when it may."""


class Outcome(StrEnum):
    """What came of a test."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_MADE = "not_made"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One test: what came of it, and why."""

    test: GenuinenessTest
    outcome: Outcome
    remark: Term | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """All tests in order."""

    results: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Every test was made and passed."""
        return all(result.outcome is Outcome.PASSED for result in self.results)

    @property
    def failed(self) -> CheckResult | None:
        """The first test that failed; None when none did."""
        return next((result for result in self.results if result.outcome is Outcome.FAILED), None)

    @property
    def sentence(self) -> Term:
        """The verdict in a sentence."""
        if (failed := self.failed) is not None:
            zh, en = failed.test.value.zh, failed.test.value.en
            if failed.remark is not None:
                zh, en = f"{zh}（{failed.remark.zh}）", f"{en} ({failed.remark.en})"
            return Term(f"未通过：{zh}。", f"Failed: {en}.")
        if self.passed:
            return Term("各项检验均通过。", "Every test was passed.")
        missing = [result.test.value for result in self.results if result.outcome is Outcome.NOT_MADE]
        return Term(
            f"未发现问题，但未检验：{'、'.join(test.zh for test in missing)}。",
            f"Nothing was found wrong, but not tested: {'; '.join(test.en for test in missing)}.",
        )

    def as_record(self) -> dict[str, Any]:
        """The verdict as plain values."""
        return {
            "passed": self.passed,
            "failed": self.failed.test.name if self.failed else None,
            "sentence": {"zh": self.sentence.zh, "en": self.sentence.en},
            "tests": [
                {
                    "test": result.test.name,
                    "outcome": str(result.outcome),
                    "remark": {"zh": result.remark.zh, "en": result.remark.en} if result.remark else None,
                }
                for result in self.results
            ],
        }


def facts_of(session: CardSession) -> CardFacts:
    """Ask the card in an open session for what is judged. Refused as the reader says, also when it cannot be read."""
    session.select_sse()
    code = session.read_public_identity().identification_code
    version = session.state().key_version
    factor = bytes(SOURCE_BYTES) if _formless(session) else session.factor
    source = secrets.token_bytes(SOURCE_BYTES)
    try:
        answer = session.internal_authenticate(factor, source)
    except Refused as error:
        if error.code is not Code.CARD_ANSWERED:
            raise
        answer = b""
    return CardFacts(session.atr, code, session.algorithm, version, factor, source, answer)


def _formless(session: CardSession) -> bool:
    rule = session.profile.atr
    return not session.atr.startswith(rule.prefix) or len(session.atr) != len(rule.prefix) + rule.historical_bytes


def judge(facts: CardFacts, register: CardRegister, profile: CardProfile | None = None) -> Verdict:
    """Every test on the facts, in order: ATR, authentication code, internal authentication, key version, records."""
    profile = profile or load_profile()
    contradiction = atr_contradicts(facts.atr, facts.code, profile)
    results = [_atr_result(test, contradiction) for test in _ATR_TESTS]
    factor = None
    if contradiction is not GenuinenessTest.ATR_FORM:
        factor = profile.card_factor(facts.atr[len(profile.atr.prefix) :])
    code, answer = facts.code.authentication_code, facts.answer
    results += [
        _made(GenuinenessTest.AUTHENTICATION_CODE, factor, lambda known: _among(code, register.codes(facts, known))),
        _made(
            GenuinenessTest.INTERNAL_AUTHENTICATION,
            factor,
            lambda known: _among(answer, [register.answer(facts, known)]),
        ),
        _told(GenuinenessTest.KEY_VERSION, lambda: register.version(facts)),
        _told(GenuinenessTest.RECORDS, lambda: register.standing(facts)),
    ]
    return Verdict(tuple(results))


_ATR_TESTS = (GenuinenessTest.ATR_FORM, GenuinenessTest.SERIAL, GenuinenessTest.REGION)
_NO_FACTOR = Term("复位应答不可用", "the answer to reset is of no use")


def _atr_result(test: GenuinenessTest, contradiction: GenuinenessTest | None) -> CheckResult:
    if contradiction is None or _ATR_TESTS.index(test) < _ATR_TESTS.index(contradiction):
        return CheckResult(test, Outcome.PASSED)
    if test is contradiction:
        return CheckResult(test, Outcome.FAILED)
    return CheckResult(test, Outcome.NOT_MADE)


def _made(test: GenuinenessTest, factor: bytes | None, right: Callable[[bytes], bool]) -> CheckResult:
    if factor is None:
        return CheckResult(test, Outcome.NOT_MADE, _NO_FACTOR)
    try:
        return CheckResult(test, Outcome.PASSED if right(factor) else Outcome.FAILED)
    except Refused as error:
        return CheckResult(test, Outcome.NOT_MADE, Term(error.text("zh-Hans"), error.text("en")))


def _told(test: GenuinenessTest, asked: Callable[[], Term | None]) -> CheckResult:
    try:
        remark = asked()
    except Refused as error:
        return CheckResult(test, Outcome.NOT_MADE, Term(error.text("zh-Hans"), error.text("en")))
    return CheckResult(test, Outcome.FAILED if remark else Outcome.PASSED, remark)


def _among(got: bytes, expected: list[bytes]) -> bool:
    return any(hmac.compare_digest(each, got) for each in expected)
