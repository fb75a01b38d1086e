"""Fixtures that the tests of all equipment share."""

from tests.support.pcsc import pcsc_port

__all__ = ["pcsc_port"]
