"""The tables of custody."""

from sheka.systems.custody.models.carriers import Carrier, CarrierEvent, CarrierOrder, Kind, Place
from sheka.systems.custody.models.counts import (
    CarrierDestruction,
    CarrierDestructionItem,
    CarrierDestructionWitness,
    CountSheet,
    StockCount,
)
from sheka.systems.custody.models.hand_overs import HandOver, Purpose
from sheka.systems.custody.models.parties import Entrustment, SupervisionReport, VendorFiling

__all__ = [
    "Carrier",
    "CarrierDestruction",
    "CarrierDestructionItem",
    "CarrierDestructionWitness",
    "CarrierEvent",
    "CarrierOrder",
    "CountSheet",
    "Entrustment",
    "HandOver",
    "Kind",
    "Place",
    "Purpose",
    "StockCount",
    "SupervisionReport",
    "VendorFiling",
]
