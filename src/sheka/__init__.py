"""Sheka (社卡): an open social security card platform."""

__version__ = "0.1.0"
