"""Fixtures that the tests of all equipment share."""

from tests.support.pcsc import pcsc_port, pcsc_turn

__all__ = ["pcsc_port", "pcsc_turn"]
