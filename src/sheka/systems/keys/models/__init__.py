"""What the key management system keeps: references to keys, consignments on carriers, the registry of machines."""

from sheka.systems.keys.models.consignments import Consignment
from sheka.systems.keys.models.keys import Key, KeyMove
from sheka.systems.keys.models.machines import Machine

__all__ = ["Consignment", "Key", "KeyMove", "Machine"]
