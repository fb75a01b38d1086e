"""Reading exchanges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sheka.foundation.money import Fen
from sheka.foundation.refusals import Code, Refused
from sheka.office.staff.actors import Actor
from sheka.systems.cards.models import Card, ExchangeCase
from sheka.systems.cards.scope import served_path
from sheka.systems.cards.states import OPEN_EXCHANGE


@dataclass(frozen=True, slots=True)
class ExchangeSummary:
    """What the card page, the confirmation and the receipt show of an exchange. No person number.

    `fee_working` and `due_strip` are plain JSON: the rule and every date that the fee and the due day rest on.
    """

    number: str
    state: str
    ground: str
    by_proxy: bool
    outlet: str
    applied_on: date
    due_on: date
    due_provisional: bool
    due_strip: list[dict[str, Any]]
    fee_fen: Fen
    fee_paid: bool
    fee_working: dict[str, Any]
    proof_number: str
    proof_to: date
    old_card: str
    new_card: str
    documents: list[tuple[str, str, bool, bool]]
    """Step, kind, original seen, copy kept."""


def exchange_named(actor: Actor, number: str) -> ExchangeCase:
    """The exchange with this number, without a lock. Raises Refused(EXCHANGE_UNKNOWN)."""
    rows = ExchangeCase.objects.select_related("old_card", "new_card", "outlet", "person")
    found = rows.filter(number=number.strip(), old_card__organisation__path__within=served_path(actor)).first()
    if found is None:
        raise Refused(Code.EXCHANGE_UNKNOWN, exchange=number)
    return found


def exchanges_to_recount(year: int) -> list[tuple[str, str]]:
    """Number and organisation of the open exchanges whose day waited for the notice of this year, the oldest first.

    A strip that reaches the last days of December may hang on the notice of the year after.
    """
    waiting = ExchangeCase.objects.filter(state__in=OPEN_EXCHANGE, due_provisional=True)
    reaching = waiting.filter(due_on__gte=date(year - 1, 12, 25), applied_on__lte=date(year, 12, 31))
    return list(reaching.order_by("pk").values_list("number", "old_card__organisation_id"))


def lock_exchange(actor: Actor, number: str) -> ExchangeCase:
    """The same, its row locked until the end of the action. Lock its cards first."""
    rows = ExchangeCase.objects.select_for_update(of=("self",)).select_related("old_card", "new_card", "outlet")
    found = rows.filter(number=number.strip(), old_card__organisation__path__within=served_path(actor)).first()
    if found is None:
        raise Refused(Code.EXCHANGE_UNKNOWN, exchange=number)
    return found


def lock_exchanges_making(cards: Sequence[Card]) -> list[ExchangeCase]:
    """The exchanges whose new card is one of these, locked. Lock the cards first."""
    rows = ExchangeCase.objects.select_for_update(of=("self",)).select_related("old_card")
    return list(rows.filter(new_card__in=cards).order_by("pk"))


def exchange_summary(case: ExchangeCase) -> ExchangeSummary:
    """An exchange as it is shown."""
    return ExchangeSummary(
        number=case.number,
        state=case.state,
        ground=case.ground,
        by_proxy=case.by_proxy,
        outlet=case.outlet_id,
        applied_on=case.applied_on,
        due_on=case.due_on,
        due_provisional=case.due_provisional,
        due_strip=case.due_strip,
        fee_fen=case.fee_fen,
        fee_paid=case.fee_paid_at is not None,
        fee_working=case.fee_working,
        proof_number=case.proof_number,
        proof_to=case.proof_to,
        old_card=str(case.old_card),
        new_card=str(case.new_card),
        documents=[(row.step, row.kind, row.original_seen, row.copy_kept) for row in case.documents.all()],
    )


def exchange_of(card: Card) -> ExchangeCase | None:
    """The latest exchange in which a card is the old or the new one."""
    rows = ExchangeCase.objects.select_related("old_card", "new_card", "outlet")
    return rows.filter(old_card=card).first() or rows.filter(new_card=card).first()
