"""Where a PSAM is put to be loaded: the node's drawer of virtual ones. A real one lies in a reader of PC/SC."""

from __future__ import annotations

from django.conf import settings

from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.initialisation.carrier_drawer import IN_NODE, CarrierDrawer


def reader_with(serial: str) -> Reader:
    """A reader with this PSAM in. Raises Refused(DRAWER_CARRIER_UNKNOWN)."""
    return CarrierDrawer(settings.NODE.folder / IN_NODE).reader(serial)
