"""Cards over the API: what is with a card, loss, blocks, exchanges; no person's number in an address (S3)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from django.utils.translation import get_language
from ninja import Path, Query
from pydantic import Field

from sheka.equipment.card_reader.verdict import CardFacts
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import CardIdentificationCode, mask_person_number
from sheka.foundation.refusals import Code
from sheka.office.api import (
    Fen,
    Listed,
    PageQuery,
    Request,
    Router,
    Shape,
    asks,
    changes,
    must_be_version,
    page_of,
    reads,
    tag_version,
)
from sheka.office.api.books import in_books
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.actions.block_card import block_card
from sheka.systems.cards.actions.judge_card import judge_card
from sheka.systems.cards.actions.report_loss import report_loss_temporarily
from sheka.systems.cards.models import Card, ExchangeCase
from sheka.systems.cards.queries import (
    card_asked_for,
    exchange_named,
    exchanges_served,
    lock_card_asked_for,
    search_cards,
)

router = Router()
NUMBER = r"^[0-9A-Z]{9}$"
BYTES_8 = r"^[0-9A-Fa-f]{16}$"
InPath = Annotated[str, Path(pattern=NUMBER, examples=["D2143569X"], description="The number of a card.")]
Reason = Annotated[str, Field(min_length=2, max_length=200, pattern=r"\S.*\S")]


class CardState(Shape):
    """What is with a card; nothing about its holder."""

    card_number: str
    state: str = Field(description="As in docs/systems/cards.md.", examples=["active"])
    usable: bool = Field(description="Whether it may be used now.")
    organisation: str = Field(description="The city that issued it.")
    issued_on: date | None
    expires_on: date | None
    version: int


class CardQuestion(Shape):
    """A card by the number printed on it."""

    card_number: str = Field(pattern=NUMBER, examples=["D2143569X"])


class HolderQuestion(Shape):
    """Cards by the holder: exact number or exact name."""

    holder: str = Field(min_length=1, max_length=150, description="A social security number, or a name, exactly.")
    limit: int = Field(20, ge=1, le=100)


class HeldCard(Shape):
    """A card with its holder, the number masked."""

    card_number: str | None
    state: str
    holder_name: str
    holder_number: str = Field(description="Masked.")
    outlet: str


class HeldCards(Shape):
    """What was found, at most `limit`."""

    items: list[HeldCard]
    total: int


class LossReport(Shape):
    """A temporary loss report."""

    how: Reason = Field(description="By whom and which way it was reported.", examples=["持卡人来电 12333"])


class Block(Shape):
    """A block."""

    reason: Reason = Field(examples=["疑似冒用"])


class Exchange(Shape):
    """An exchange as its applicant may know it."""

    number: str
    state: str
    ground: str
    outlet: str
    by_proxy: bool
    applied_on: date
    due_on: date
    due_provisional: bool
    fee_fen: Fen
    fee_paid: bool
    proof_to: date
    old_card: str
    new_card: str


class ReadCard(Shape):
    """What a reader has of a card after one internal authentication; hexadecimal. Nothing about its holder."""

    identification_code: str = Field(pattern=r"^[0-9A-Fa-f]{32}$", examples=["460100D156000005000001357A48FB49"])
    historical_bytes: str = Field(
        pattern=r"^([0-9A-Fa-f]{2}){1,15}$",
        description="T1 to TD of the answer to reset.",
        examples=["00814A46868660460100000135"],
    )
    algorithm: Literal["SM4", "TDES"] = Field(description="As the card answered it in its FCI.")
    key_version: int = Field(ge=1, le=3, description="Of the internal authentication key that answered.")
    process_factor: str = Field(pattern=BYTES_8, description="First half of the INTERNAL AUTHENTICATE data.")
    challenge: str = Field(pattern=BYTES_8, description="Second half: new and random for every check.")
    response: str = Field(pattern=r"^([0-9A-Fa-f]{16})?$", description="Of the card; empty when it refused.")


class CardTest(Shape):
    """One test of a card."""

    test: Literal[
        "ATR_FORM", "SERIAL", "REGION", "AUTHENTICATION_CODE", "INTERNAL_AUTHENTICATION", "KEY_VERSION", "RECORDS"
    ]
    outcome: Literal["passed", "failed", "not_made"]
    remark: str = Field(description="Why, in the language asked for; may be empty.")


class CardVerdict(Shape):
    """Every test in order."""

    passed: bool = Field(description="Every test was made and passed.")
    failed: str | None = Field(description="The first test that failed.", examples=["INTERNAL_AUTHENTICATION"])
    sentence: str
    tests: list[CardTest]


@reads(
    router,
    "/cards/{number}",
    scope=Permission.CARD_STATE,
    answer=CardState,
    refusals=(Code.CARD_UNKNOWN,),
    versioned=True,
)
def get_card(request: Request, number: InPath) -> CardState:
    """What is with one card; its ETag is its version."""
    with in_books(request.actor) as actor:
        return _state(request, card_asked_for(actor, number))


@asks(
    router,
    "/cards/state",
    scope=Permission.CARD_STATE,
    answer=CardState,
    refusals=(Code.CARD_UNKNOWN, Code.CARD_NO_CITY),
)
def ask_card_state(request: Request, question: CardQuestion) -> CardState:
    """The same by POST, for programs whose addresses are logged elsewhere."""
    with in_books(request.actor) as actor:
        return _state(request, card_asked_for(actor, question.card_number))


@asks(
    router,
    "/cards/check",
    scope=Permission.CARD_STATE,
    answer=CardVerdict,
    refusals=(Code.NUMBER_REGION_PART, Code.NUMBER_PREFIX, Code.CARD_NO_CITY),
)
def check_read_card(request: Request, read: ReadCard) -> CardVerdict:
    """Whether a card that a reader elsewhere has read is genuine and may be used: each test is named; audited."""
    profile = load_profile()
    facts = CardFacts(
        atr=profile.atr.prefix + bytes.fromhex(read.historical_bytes),
        code=CardIdentificationCode.parse(read.identification_code),
        algorithm=Algorithm[read.algorithm],
        key_version=read.key_version,
        process_factor=bytes.fromhex(read.process_factor),
        source=bytes.fromhex(read.challenge),
        answer=bytes.fromhex(read.response),
    )
    with in_books(request.actor) as actor:
        verdict = judge_card(actor, facts=facts)
    language = get_language() or "en"
    return CardVerdict(
        passed=verdict.passed,
        failed=verdict.failed.test.name if verdict.failed is not None else None,
        sentence=verdict.sentence.text(language),
        tests=[
            CardTest(
                test=result.test.name,
                outcome=result.outcome.value,
                remark=result.remark.text(language) if result.remark is not None else "",
            )
            for result in verdict.results
        ],
    )


@asks(router, "/cards/search", scope=Permission.CARD_VIEW, answer=HeldCards)
def search_held_cards(request: Request, question: HolderQuestion) -> HeldCards:
    """The cards of a holder, or of all holders with exactly this name; an audited search."""
    found = search_cards(request.actor, question.holder)
    items = [_held(card) for card in found.order_by("-pk")[: question.limit]]
    return HeldCards(items=items, total=found.count())


@changes(
    router,
    "/cards/{number}/loss-reports",
    scope=Permission.CARD_LOSS,
    answer=CardState,
    refusals=(Code.CARD_UNKNOWN, Code.CARD_REASON, Code.STATE_FORBIDS),
    versioned=True,
)
def report_card_lost(request: Request, number: InPath, report: LossReport) -> CardState:
    """Report a card lost, for the time being: it stops at once. The holder confirms or releases it at a counter."""
    with in_books(request.actor) as actor:
        card = lock_card_asked_for(actor, number)
        must_be_version(request, card.version)
        return _state(request, report_loss_temporarily(actor, card=card, how=report.how))


@changes(
    router,
    "/cards/{number}/blocks",
    scope=Permission.CARD_BLOCK,
    answer=CardState,
    refusals=(Code.CARD_UNKNOWN, Code.CARD_REASON, Code.STATE_FORBIDS),
    versioned=True,
)
def block_one_card(request: Request, number: InPath, block: Block) -> CardState:
    """Block a card; a supervisor unblocks it at the console."""
    card = lock_card_asked_for(request.actor, number)
    must_be_version(request, card.version)
    return _state(request, block_card(request.actor, card=card, reason=block.reason))


@reads(router, "/exchanges", scope=Permission.CARD_VIEW, answer=Listed[Exchange])
def list_exchanges(request: Request, page: Query[PageQuery]) -> dict[str, object]:
    """Exchanges, the latest first."""
    return page_of(request, exchanges_served(request.actor), page, ("-applied_at", "-pk"), _exchange)


@reads(router, "/exchanges/{number}", scope=Permission.CARD_VIEW, answer=Exchange, refusals=(Code.EXCHANGE_UNKNOWN,))
def get_exchange(request: Request, number: Annotated[str, Path(pattern=r"^[0-9A-Z-]{1,30}$")]) -> Exchange:
    """One exchange by the number on its confirmation."""
    return _exchange(exchange_named(request.actor, number))


def _state(request: Request, card: Card) -> CardState:
    tag_version(request, card.version)
    return CardState(
        card_number=str(card.number),
        state=card.state,
        usable=card.state == "active",
        organisation=card.organisation_id,
        issued_on=card.issued_on,
        expires_on=card.expires_on,
        version=card.version,
    )


def _held(card: Card) -> HeldCard:
    return HeldCard(
        card_number=card.number,
        state=card.state,
        holder_name=card.person.name,
        holder_number=mask_person_number(card.person.social_security_number),
        outlet=card.outlet_id,
    )


def _exchange(case: ExchangeCase) -> Exchange:
    return Exchange(
        number=case.number,
        state=case.state,
        ground=case.ground,
        outlet=case.outlet_id,
        by_proxy=case.by_proxy,
        applied_on=case.applied_on,
        due_on=case.due_on,
        due_provisional=case.due_provisional,
        fee_fen=case.fee_fen,
        fee_paid=case.fee_paid_at is not None,
        proof_to=case.proof_to,
        old_card=str(case.old_card),
        new_card=str(case.new_card),
    )
