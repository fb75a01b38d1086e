"""The tables of card management."""

from sheka.systems.cards.models.cards import Card, CardEvent, Personalisation, ProductionBatch
from sheka.systems.cards.models.exchanges import DocumentCheck, ExchangeCase
from sheka.systems.cards.models.old_cards import (
    DestructionBatch,
    DestructionItem,
    DestructionWitness,
    ReturnItem,
    ReturnTransfer,
)
from sheka.systems.cards.models.people import DataChange, ImportBatch, ImportLine, Person, Registration
from sheka.systems.cards.models.rights import IssuingRight, Numbering

__all__ = [
    "Card",
    "CardEvent",
    "DataChange",
    "DestructionBatch",
    "DestructionItem",
    "DestructionWitness",
    "DocumentCheck",
    "ExchangeCase",
    "ImportBatch",
    "ImportLine",
    "IssuingRight",
    "Numbering",
    "Person",
    "Personalisation",
    "ProductionBatch",
    "Registration",
    "ReturnItem",
    "ReturnTransfer",
]
