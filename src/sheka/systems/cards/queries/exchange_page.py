"""The page of one exchange: what it rests on, its line, and what the reader may do with it now, or why not (R1-R8)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import get_language

from sheka.foundation.money import format_yuan
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.reads import read_recorded
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.cards.models import ExchangeCase
from sheka.systems.cards.queries.card_page import Offer
from sheka.systems.cards.queries.exchanges import ExchangeSummary, exchange_named, exchange_summary
from sheka.systems.cards.queries.life_line import LifeEvent, exchange_line
from sheka.systems.cards.scope import counter
from sheka.systems.cards.states import EXCHANGE

NEEDS: dict[str, Permission] = {
    "collect": Permission.EXCHANGE_COLLECT,
    "pay": Permission.EXCHANGE_PAY,
    "cancel": Permission.EXCHANGE_CANCEL,
}
"""The verbs of an exchange in the order in which a page offers them."""


@dataclass(frozen=True, slots=True)
class ExchangePage:
    """Everything on the page of one exchange; of the people only their names."""

    case: ExchangeCase
    summary: ExchangeSummary
    line: list[LifeEvent]
    offers: list[Offer]


@action(Permission.CARD_VIEW)
def exchange_page(actor: Actor, number: str) -> ExchangePage:
    """The page of an exchange that the actor serves; an audited read. Raises Refused(EXCHANGE_UNKNOWN)."""
    case = exchange_named(actor, number)
    read_recorded(actor, "exchange.viewed", case.subject)
    offers = [_offer(case, actor, verb) for verb in NEEDS]
    return ExchangePage(case, exchange_summary(case), exchange_line(case), offers)


def _offer(case: ExchangeCase, actor: Actor, verb: str) -> Offer:
    try:
        actor.require(NEEDS[verb])
        EXCHANGE.after(case.state, verb)
        _must_fit(case, actor, verb)
    except Refused as refusal:
        return Offer(verb, False, refusal.text(get_language() or "zh-hans"))
    return Offer(verb, True, "")


def _must_fit(case: ExchangeCase, actor: Actor, verb: str) -> None:
    owed = case.fee_fen and case.fee_paid_at is None
    if verb == "pay" and not owed:
        raise Refused(Code.EXCHANGE_FEE_SETTLED)
    if verb == "collect":
        if counter(actor).code != case.outlet_id:
            raise Refused(Code.EXCHANGE_WRONG_OUTLET, expected=case.outlet.name)
        if owed:
            fee = Term(format_yuan(case.fee_fen, "zh"), format_yuan(case.fee_fen, "en"))
            raise Refused(Code.EXCHANGE_FEE_UNPAID, fee=fee)
