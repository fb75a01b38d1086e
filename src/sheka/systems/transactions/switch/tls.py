"""TLS on the line, both sides with certificates (S4; RFC 8446, RFC 5246 without renegotiation).

The layer is ours so that a handshake is a line like any other: counted, timed and ended by the sweep. A certificate of
the right authority that no institution has now ends the line after the handshake; which terminals may speak over it is
asked at every message, so a certificate that is withdrawn is worth nothing at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cryptography import x509

from sheka.foundation.refusals import Code, Refused

if TYPE_CHECKING:
    from sheka.systems.transactions.switch.connection import Line, Lines
    from sheka.systems.transactions.switch.settings import SwitchSettings

log = logging.getLogger("sheka.switch")
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; those of 1.3 are all good."""
HANDSHAKE_BYTES = 64 * 1024
"""More than any honest handshake sends."""
RECORD = 64 * 1024


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The switch's certificate (with its chain), its key, and the authority of the institutions' certificates; PEM."""

    certificate: Path
    key: Path
    authority: Path

    @property
    def marks(self) -> tuple[tuple[int, int, int], ...]:
        """What changes when somebody puts another file there. Raises OSError."""
        stats = [path.stat() for path in (self.certificate, self.key, self.authority)]
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in stats)

    def context(self) -> ssl.SSLContext:
        """A context of these files. Raises Refused(LINE_CERTIFICATE_UNUSABLE)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET
        context.num_tickets = 0
        context.set_ciphers(CIPHERS)
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
            if certificate.not_valid_after_utc < datetime.now(UTC):
                raise _unusable(self.certificate, f"ended {certificate.not_valid_after_utc:%Y-%m-%d}")
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
            context.load_verify_locations(self.authority)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            file = getattr(error, "filename", None) or self.certificate
            raise _unusable(Path(str(file)), getattr(error, "strerror", None) or str(error)) from None
        return context


class Certificates:
    """The context for new lines; taken anew when a file changes. One that cannot be used leaves the old in force."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self.context = files.context()
        self._marks: object = files.marks

    def look(self) -> bool:
        """Once a second: whether there is a new one."""
        try:
            marks = self._files.marks
            if marks == self._marks:
                return False
            self._marks = marks
            self.context = self._files.context()
        except (OSError, Refused) as error:
            log.warning("the certificate of the line was not changed: %s", error)
            return False
        log.info("the line has a new certificate")
        return True


class SecureLine(asyncio.Protocol):
    """The TLS side of a connection; after the handshake it is the transport of a `Line`."""

    def __init__(
        self,
        make_line: Callable[[str], Line],
        holder: Callable[[str], int | None],
        lines: Lines,
        certificates: Certificates,
        settings: SwitchSettings,
        counts: Counter[str],
    ) -> None:
        self._make_line, self._holder, self._lines = make_line, holder, lines
        self._settings, self._counts = settings, counts
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = certificates.context.wrap_bio(self._in, self._out, server_side=True)
        self._raw: asyncio.Transport | None = None
        self._line: Line | None = None
        self._paused = False
        self._seen = 0
        self._began = time.monotonic()
        self.partial = 0.0
        """When an unfinished record began to come, 0 when none."""

    # the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = cast(asyncio.Transport, transport)
        if not self._lines.admit(self):
            self._raw.abort()
            return
        sock = self._raw.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, error: Exception | None) -> None:
        self._lines.discard(self)
        self._raw = None
        if self._line is not None:
            self._line.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self._in.write(data)
        try:
            if self._line is None:
                if self._shake(len(data)):
                    self._read(begun=self._in.pending > 0)  # the end of a handshake alone is no message that began
                return
            self._read(begun=bool(data))
        except ssl.SSLError as error:
            self._counts["TLS " + (error.reason or "error")] += 1
            self._flush()
            if self._raw is not None:
                self._raw.close()

    def _shake(self, size: int) -> bool:
        """A step of the handshake; whether it is done and the certificate belongs to somebody."""
        self._seen += size
        if self._seen > HANDSHAKE_BYTES:
            self.end()
            return False
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        self._flush()
        fingerprint = hashlib.sha256(self._ssl.getpeercert(True) or b"").hexdigest()
        if self._holder(fingerprint) is None:
            self._counts["TLS certificate of nobody"] += 1
            log.warning("a certificate of no institution: %s", fingerprint)
            self.end()
            return False
        if self._raw is None:
            return False
        self._lines.discard(self)
        self._line = self._make_line(fingerprint)
        self._line.connection_made(cast(asyncio.BaseTransport, self))
        return True

    def _read(self, *, begun: bool) -> None:
        """Hand over what is whole; what is not, if something has `begun` to come, begins to age."""
        came = False
        while self._line is not None and self._raw is not None and not self._paused:
            try:
                data = self._ssl.read(RECORD)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                data = b""
            if not data:
                self.close()
                return
            came = True
            self._line.data_received(data)
        if came:
            self.partial = 0.0
        elif begun and not self.partial:
            self.partial = time.monotonic()
        self._flush()

    def _flush(self) -> None:
        if self._out.pending and self._raw is not None:
            self._raw.write(self._out.read())

    # what the sweep asks while the handshake lasts

    def is_late(self, now: float) -> bool:
        return now - self._began > self._settings.handshake

    def end(self) -> None:
        if self._raw is not None:
            self._raw.abort()

    def stop_reading(self) -> None:
        self.end()

    def finish(self) -> None:
        self.end()

    # the transport of the line

    def write(self, data: bytes) -> None:
        if self._raw is None:
            return
        try:
            self._ssl.write(data)
        except ssl.SSLError:  # the other side has ended the session
            self.end()
            return
        self._flush()

    def abort(self) -> None:
        self.end()

    def close(self) -> None:
        if self._raw is None:
            return
        with suppress(ssl.SSLError):  # the other side has not said its good-bye yet
            self._ssl.unwrap()
        self._flush()
        self._raw.close()

    def pause_reading(self) -> None:
        self._paused = True
        if self._raw is not None:
            self._raw.pause_reading()

    def resume_reading(self) -> None:
        self._paused = False
        if self._raw is not None:
            self._raw.resume_reading()
            asyncio.get_running_loop().call_soon(self._resume)

    def _resume(self) -> None:
        """What came before the pause is decrypted now."""
        self.data_received(b"")

    def get_write_buffer_size(self) -> int:
        return 0 if self._raw is None else self._raw.get_write_buffer_size()

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default if self._raw is None else self._raw.get_extra_info(name, default)


def _no_password() -> str:
    raise ValueError("the key is under a password")


def _unusable(file: Path, reason: str) -> Refused:
    return Refused(Code.LINE_CERTIFICATE_UNUSABLE, file=str(file), reason=reason)
