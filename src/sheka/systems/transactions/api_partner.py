"""The verbs of the switch for partners over REST (S4): another face of the same switch.

A client speaks for the terminals of the institution that its organisation is. The Idempotency-Key is the partner's own
id of a request: sent again it is answered again, and its status is asked by it. Amounts are fen.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from ninja import Path
from pydantic import Field

from sheka.foundation.canonical import digest
from sheka.foundation.numbers import mask_card_number
from sheka.foundation.refusals import Code, Refused
from sheka.office.api import Fen, Moment, Request, Router, Shape, asks, changes, reads
from sheka.office.api.books import in_books
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.acquiring_models import PartnerRequest
from sheka.systems.transactions.actions.partner_requests import Wanted, institution_of
from sheka.systems.transactions.partner_line import inquire, settle, settlement_date, submit
from sheka.systems.transactions.queries_of_acquiring import known_request, partner_request
from sheka.systems.transactions.response_codes import RESPONSE_CODES

router = Router()
TerminalNumber = Annotated[str, Field(pattern=r"^[0-9]{12}$", description="One of the client's terminals.")]
CardNumber = Annotated[str, Field(pattern=r"^[0-9A-Z]{9}$", examples=["D2143569X"])]
Amount = Annotated[int, Field(ge=1, le=999_999_999_999, description="In fen.")]
Scheme = Annotated[str, Field(pattern=r"^[0-9]{3}$", description="Insurance scheme of the account; 310 by default.")]
Country = Annotated[str, Field(pattern=r"^[0-9]{3}$", description="ISO 3166 numeric; only 156 is served (C3).")]
Currency = Annotated[str, Field(pattern=r"^[0-9]{3}$", description="ISO 4217 numeric; only 156 is served (C3).")]
Original = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{16,64}$", description="Its Idempotency-Key.")]
Key = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{16,64}$", description="The Idempotency-Key of the request.")]
OWN = (
    Code.PARTNER_WITHOUT_INSTITUTION,
    Code.TERMINAL_NOT_YOURS,
    Code.TERMINAL_OTHER_CHANNEL,
    Code.TRACE_NUMBERS_USED_UP,
    Code.SWITCH_UNREACHABLE,
    Code.SWITCH_ANSWER_INVALID,
)
SWITCH = tuple(RESPONSE_CODES)
ORIGINAL = (Code.PARTNER_REQUEST_UNKNOWN, Code.PARTNER_ORIGINAL_UNFIT)


class PurchaseBody(Shape):
    """A purchase from a card's personal account."""

    terminal: TerminalNumber
    card_number: CardNumber
    amount_fen: Amount
    scheme: Scheme = "310"
    currency: Currency = "156"
    country: Country = "156"


class FollowBody(Shape):
    """What is to be taken back or given back whole: the Idempotency-Key of an earlier request."""

    original: Original


class PartBody(FollowBody):
    """At most as much as the original is about."""

    amount_fen: Amount


class BatchPurchase(PurchaseBody):
    """A purchase or pre-authorisation in a batch; `id` is its own Idempotency-Key."""

    id: Original
    verb: Literal["purchase", "pre_authorisation"]


class BatchPart(PartBody):
    """A completion or refund in a batch."""

    id: Original
    verb: Literal["completion", "refund"]


class BatchFollow(FollowBody):
    """A void or reversal in a batch."""

    id: Original
    verb: Literal["void", "reversal"]


class BatchBody(Shape):
    items: list[Annotated[BatchPurchase | BatchPart | BatchFollow, Field(discriminator="verb")]] = Field(
        min_length=1, max_length=50
    )


class InquiryBody(Shape):
    """A question for a card's balance."""

    terminal: TerminalNumber
    card_number: CardNumber
    scheme: Scheme = "310"


class BalanceShape(Shape):
    terminal: str
    stan: int
    balance_fen: Fen


class PaymentShape(Shape):
    """A request of the partner and what is known of it."""

    id: str = Field(description="Its Idempotency-Key.")
    verb: str = Field(description="purchase, pre_authorisation, completion, void, refund, reversal.")
    state: Literal["approved", "refused", "unknown", "not_sent"] = Field(
        description="unknown: no answer came and nothing is written of it yet; not_sent: it never reached the switch."
    )
    terminal: str
    business_date: date
    stan: int = Field(description="The trace number of the message (a reversal goes out with that of its original).")
    card_number: str = Field(description="Masked.")
    amount_fen: Fen | None
    original: str | None = Field(description="The Idempotency-Key of what it is about.")
    refusal: int = Field(description="The number of the refusal, 0 otherwise.")
    response_code: str = Field(description="Field 39 of the answer.")
    authorisation: str
    reference: str = Field(description="The retrieval reference number.")
    balance_fen: Fen | None
    reversed: bool = Field(description="Whether an approved reversal of it is known.")
    settlement_day: date | None = Field(description="The day of settlement that it belongs to, when it is known.")
    asked_at: Moment
    answered_at: Moment | None


class BatchedShape(Shape):
    """What became of one request of a batch; `payment` None: it was refused before it was kept."""

    id: str
    state: Literal["approved", "refused", "unknown", "not_sent"]
    refusal: int
    payment: PaymentShape | None


class BatchShape(Shape):
    """The requests of a batch in their order."""

    items: list[BatchedShape]


@changes(
    router,
    "/partner/purchases",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=PaymentShape,
    refusals=(*OWN, *SWITCH),
    own_record=True,
)
def make_partner_purchase(request: Request, body: PurchaseBody) -> PaymentShape:
    """Pay from a card's personal account."""
    return _submitted(request, _wanted("purchase", body))


@changes(
    router,
    "/partner/preauthorisations",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=PaymentShape,
    refusals=(*OWN, *SWITCH),
    own_record=True,
)
def make_partner_preauthorisation(request: Request, body: PurchaseBody) -> PaymentShape:
    """Hold an amount; complete it, or void it."""
    return _submitted(request, _wanted("pre_authorisation", body))


@changes(
    router,
    "/partner/completions",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=PaymentShape,
    refusals=(*OWN, *ORIGINAL, *SWITCH),
    own_record=True,
)
def make_partner_completion(request: Request, body: PartBody) -> PaymentShape:
    """Take at most what is held, once; the rest is released."""
    return _submitted(request, Wanted("completion", amount=body.amount_fen, original=body.original))


@changes(
    router,
    "/partner/voids",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=PaymentShape,
    refusals=(*OWN, *ORIGINAL, *SWITCH),
    own_record=True,
)
def make_partner_void(request: Request, body: FollowBody) -> PaymentShape:
    """Take a request back whole, while its day is open."""
    return _submitted(request, Wanted("void", original=body.original))


@changes(
    router,
    "/partner/refunds",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=PaymentShape,
    refusals=(*OWN, *ORIGINAL, *SWITCH),
    own_record=True,
)
def make_partner_refund(request: Request, body: PartBody) -> PaymentShape:
    """Give back all or a part of a purchase, whenever it was settled."""
    return _submitted(request, Wanted("refund", amount=body.amount_fen, original=body.original))


@changes(
    router,
    "/partner/reversals",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=PaymentShape,
    refusals=(*OWN, *ORIGINAL, *SWITCH),
    own_record=True,
)
def make_partner_reversal(request: Request, body: FollowBody) -> PaymentShape:
    """Take back a request whose outcome is not known; refused with 4426 when it never reached the switch."""
    return _submitted(request, Wanted("reversal", original=body.original))


@changes(
    router,
    "/partner/batches",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=BatchShape,
    refusals=(Code.PARTNER_WITHOUT_INSTITUTION,),
    own_record=True,
)
def make_partner_batch(request: Request, body: BatchBody) -> BatchShape:
    """Up to fifty requests one after another, each under its own id and with its own outcome."""
    with in_books(request.actor) as actor:
        institution_of(actor)
        return BatchShape(items=[_batched(actor, item) for item in body.items])


@asks(
    router,
    "/partner/inquiries",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=BalanceShape,
    refusals=(*OWN, *SWITCH),
)
def ask_partner_balance(request: Request, body: InquiryBody) -> BalanceShape:
    """The balance of a card's personal account."""
    with in_books(request.actor) as actor:
        found = inquire(actor, terminal=body.terminal, card_number=body.card_number, scheme=body.scheme)
    return BalanceShape(terminal=found.terminal, stan=found.stan, balance_fen=found.balance)


@reads(
    router,
    "/partner/requests/{key}",
    scope=Permission.TRANSACTION_SUBMIT,
    answer=PaymentShape,
    refusals=(Code.PARTNER_REQUEST_UNKNOWN, Code.PARTNER_WITHOUT_INSTITUTION),
)
def get_partner_request(request: Request, key: Key) -> PaymentShape:
    """What became of a request, by its Idempotency-Key: what the switch has written decides."""
    with in_books(request.actor) as actor:
        return _shape(settle(actor, partner_request(actor, key)))


def _wanted(verb: str, body: PurchaseBody) -> Wanted:
    return Wanted(verb, body.terminal, body.card_number, body.amount_fen, body.scheme, body.currency, body.country)


def _batched(actor: Actor, item: BatchPurchase | BatchPart | BatchFollow) -> BatchedShape:
    if isinstance(item, BatchPurchase):
        wanted = _wanted(item.verb, item)
    else:
        amount = item.amount_fen if isinstance(item, BatchPart) else None
        wanted = Wanted(item.verb, amount=amount, original=item.original)
    number, row = 0, None
    try:
        row, _ = submit(actor, key=item.id, digest=digest(item.model_dump()), wanted=wanted)
    except Refused as refusal:
        number = refusal.number
        if refusal.code is not Code.API_KEY_REUSED:
            row = known_request(actor, item.id)
    if row is None:
        return BatchedShape(id=item.id, state="refused", refusal=number, payment=None)
    payment = _shape(row)
    return BatchedShape(id=item.id, state=payment.state, refusal=payment.refusal or number, payment=payment)


def _submitted(request: Request, wanted: Wanted) -> PaymentShape:
    with in_books(request.actor) as actor:
        row, request.replayed = submit(actor, key=request.key, digest=request.digest, wanted=wanted)
        return _shape(row)


def _shape(row: PartnerRequest) -> PaymentShape:
    states = {"sent": "unknown", "kept": "not_sent"}
    return PaymentShape(
        id=row.key,
        verb=row.verb,
        state=states.get(row.state, row.state),
        terminal=row.terminal.number,
        business_date=row.business_date,
        stan=row.stan,
        card_number=mask_card_number(row.card_number),
        amount_fen=row.amount,
        original=row.original.key if row.original else None,
        refusal=row.refusal,
        response_code=row.response_code,
        authorisation=row.authorisation,
        reference=row.reference,
        balance_fen=row.balance,
        reversed=row.followed.filter(verb="reversal", state="approved").exists(),
        settlement_day=settlement_date(row),
        asked_at=row.at,
        answered_at=row.answered_at,
    )
