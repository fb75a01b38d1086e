"""Fixtures of the command line's tests."""

from tests.support.pcsc import pcsc_port

__all__ = ["pcsc_port"]
