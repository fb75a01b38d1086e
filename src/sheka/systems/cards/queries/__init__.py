"""Reading cards: what the console, the switch's console side and the other systems ask."""

from sheka.systems.cards.queries.card_page import CardPage, Offer, actions_for, card_page
from sheka.systems.cards.queries.cards import (
    card_asked_for,
    card_named,
    card_with_code,
    holder_by_proof,
    lock_card_asked_for,
    old_cards_at,
    stray_chips,
)
from sheka.systems.cards.queries.counts import StateCount, count_by_state, exchanges_served
from sheka.systems.cards.queries.destruction import destruction_record
from sheka.systems.cards.queries.exchange_page import ExchangePage, exchange_page
from sheka.systems.cards.queries.exchanges import ExchangeSummary, exchange_named, exchange_summary
from sheka.systems.cards.queries.life_line import LifeEvent, exchange_line, life_line
from sheka.systems.cards.queries.people import people_without_card, person_with_number
from sheka.systems.cards.queries.rights import issued_under, right_to_issue
from sheka.systems.cards.queries.search import cards_served, search_cards

__all__ = [
    "CardPage",
    "ExchangePage",
    "ExchangeSummary",
    "LifeEvent",
    "Offer",
    "StateCount",
    "actions_for",
    "card_asked_for",
    "card_named",
    "card_page",
    "card_with_code",
    "cards_served",
    "count_by_state",
    "destruction_record",
    "exchange_line",
    "exchange_named",
    "exchange_page",
    "exchange_summary",
    "exchanges_served",
    "holder_by_proof",
    "issued_under",
    "life_line",
    "lock_card_asked_for",
    "old_cards_at",
    "people_without_card",
    "person_with_number",
    "right_to_issue",
    "search_cards",
    "stray_chips",
]
