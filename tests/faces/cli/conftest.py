"""Fixtures of the command line's tests."""

from tests.support.pcsc import pcsc_port, pcsc_turn

__all__ = ["pcsc_port", "pcsc_turn"]
