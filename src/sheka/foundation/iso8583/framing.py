"""Messages on a TCP stream (S4): two bytes of length, big-endian, in front of each message."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused

HEADER_BYTES = 2
#: The greatest message that we take: every field of the dictionary at its greatest length stays below it.
MAXIMUM_BYTES = 2048


def frame(message: bytes) -> bytes:
    """A message with its length header. Raises Refused(MESSAGE_TOO_LONG)."""
    if len(message) > MAXIMUM_BYTES:
        raise Refused(Code.MESSAGE_TOO_LONG, got=len(message), expected=MAXIMUM_BYTES)
    return len(message).to_bytes(2) + message


def split(buffer: bytearray) -> list[bytes]:
    """Take every whole message off the front of `buffer`.

    Raises Refused(MESSAGE_TOO_LONG) as soon as a header announces more than MAXIMUM_BYTES: nothing is awaited then.
    """
    found = []
    at = 0
    end = len(buffer)
    while end - at >= HEADER_BYTES:
        size = buffer[at] << 8 | buffer[at + 1]
        if size > MAXIMUM_BYTES:
            raise Refused(Code.MESSAGE_TOO_LONG, got=size, expected=MAXIMUM_BYTES)
        if end - at < HEADER_BYTES + size:
            break
        found.append(bytes(buffer[at + HEADER_BYTES : at + HEADER_BYTES + size]))
        at += HEADER_BYTES + size
    if at:
        del buffer[:at]
    return found
