"""ISO 8583 messages of the transaction interface (S4): dictionary, codec, framing, chip data."""

from __future__ import annotations

from sheka.foundation.iso8583.codec import Message, Value, carries_mac, decode, encode, mac_field

__all__ = ["Message", "Value", "carries_mac", "decode", "encode", "mac_field"]
