"""Frames on the machine's line, and their protection on TCP (H5).

A frame is a 4-byte length (of what follows), then the body: request id 4 ‖ code 2 ‖ payload. In a request the code is
the verb, in an answer 0 (done) or 1 (refused). The id lets a caller send many requests before the first answer.

On a unix socket (mode 0600, folder 0700) the kernel protects the line and bodies go as they are. On TCP each body goes
as SM4-GCM ciphertext ‖ tag under a key of the session and of the direction; the nonce is the frame's number, so that a
frame that was changed, dropped, repeated or moved is noticed and the connection ends. There is no forward secrecy: who
later steals a caller's secret can read recorded frames. No frame ever holds a key in clear.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Protocol

from sheka.foundation.crypto.sm4 import TAG_BYTES, decrypt_gcm, encrypt_gcm
from sheka.foundation.refusals import Code, Refused

LENGTH = struct.Struct(">I")
HEAD = struct.Struct(">IH")
MAX_FRAME = 16 * 2**20
MAX_GREETING = 1024
DONE = 0
REFUSED = 1
_SMALL = 16384


class Guard(Protocol):
    """Turns head and payload into what stands on the line (in pieces: a large payload is not copied), and back."""

    def seal(self, head: bytes, payload: bytes) -> tuple[bytes, ...]: ...
    def open(self, sealed: bytes) -> bytes: ...


class Bare:
    """The line protects itself (unix socket)."""

    def seal(self, head: bytes, payload: bytes) -> tuple[bytes, ...]:
        return head, payload

    def open(self, sealed: bytes) -> bytes:
        return sealed


class Sealed:
    """SM4-GCM with a frame counter as nonce, one key per direction (16 bytes each)."""

    def __init__(self, sending: bytes, receiving: bytes) -> None:
        self._sending, self._receiving = sending, receiving
        self._sent = self._received = 0

    def seal(self, head: bytes, payload: bytes) -> tuple[bytes, ...]:
        nonce = self._sent.to_bytes(12, "big")
        self._sent += 1
        return (encrypt_gcm(self._sending, nonce, head + payload),)

    def open(self, sealed: bytes) -> bytes:
        nonce = self._received.to_bytes(12, "big")
        self._received += 1
        try:
            return decrypt_gcm(self._receiving, nonce, sealed)
        except Refused:
            raise Refused(Code.MACHINE_FRAME_BAD, what="the frame does not authenticate") from None


def frame(body: bytes, limit: int = MAX_FRAME) -> bytes:
    """A body with its length; `MACHINE_FRAME_TOO_LONG` above `limit` bytes."""
    if len(body) > limit:
        raise Refused(Code.MACHINE_FRAME_TOO_LONG, limit=limit, got=len(body))
    return LENGTH.pack(len(body)) + body


def pack(request: int, code: int, payload: bytes, guard: Guard) -> list[bytes]:
    """A whole frame after the handshake, in pieces to be sent one after the other."""
    if len(payload) > MAX_FRAME - HEAD.size - TAG_BYTES:
        raise Refused(Code.MACHINE_FRAME_TOO_LONG, limit=MAX_FRAME, got=len(payload))
    first, *rest = guard.seal(HEAD.pack(request, code), payload)
    return [LENGTH.pack(len(first) + sum(map(len, rest))) + first, *rest]


def send(line: socket.socket, pieces: list[bytes]) -> None:
    """Send the pieces of a frame: small ones as one, a large payload without copying it."""
    if sum(map(len, pieces)) < _SMALL:
        line.sendall(b"".join(pieces))
        return
    sent = line.sendmsg(pieces)
    for piece in pieces:
        if sent < len(piece):
            line.sendall(memoryview(piece)[sent:])
            sent = 0
        else:
            sent -= len(piece)


def unpack(sealed: bytes, guard: Guard) -> tuple[int, int, bytes]:
    """(request id, code, payload) of a frame's body after the handshake."""
    body = guard.open(sealed)
    if len(body) < HEAD.size:
        raise Refused(Code.MACHINE_FRAME_BAD, what="frame cut short")
    request, code = HEAD.unpack_from(body)
    return request, code, body[HEAD.size :]


class FrameReader:
    """Reads frames from a blocking `receive(n) -> bytes` (empty at the end of the line)."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._held = b""

    @property
    def between_frames(self) -> bool:
        """True when no byte of a next frame has come yet."""
        return not self._held

    def read(self, limit: int = MAX_FRAME) -> bytes | None:
        """The next body, None when the line ended between frames; EOFError when it ended within one.

        A length above `limit` is `MACHINE_FRAME_TOO_LONG`; nothing of such a frame is read. A time-out of `receive`
        passes through and loses nothing: `read` goes on where it stopped.
        """
        while len(self._held) < LENGTH.size:
            if not self._more(65536):
                if self._held:
                    raise EOFError
                return None
        (length,) = LENGTH.unpack_from(self._held)
        if length > limit:
            raise Refused(Code.MACHINE_FRAME_TOO_LONG, limit=limit, got=length)
        whole = LENGTH.size + length
        if len(self._held) < whole:
            self._fill(whole)
        body, self._held = self._held[LENGTH.size : whole], self._held[whole:]
        return body

    def _more(self, most: int) -> bool:
        piece = self._receive(most)
        self._held += piece
        return bool(piece)

    def _fill(self, whole: int) -> None:
        pieces, have = [self._held], len(self._held)
        try:
            while have < whole:
                piece = self._receive(max(65536, whole - have))
                if not piece:
                    raise EOFError
                pieces.append(piece)
                have += len(piece)
        finally:
            self._held = b"".join(pieces)
