"""What TLS costs the switch: processor time of its own side, a message and its answer, and a handshake (S4).

`python -m bench.line_tls`: no network, no load of others; the client's side is not counted.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sheka.equipment.server.line_certificates import ensure_own, issue
from sheka.systems.transactions.switch.connection import Line, Lines
from sheka.systems.transactions.switch.settings import SwitchSettings
from sheka.systems.transactions.switch.tls import Certificates, SecureLine, TlsFiles

MESSAGES, HANDSHAKES, SIZE = 20_000, 100, 160


class _Wire:
    """The transport under the layer: keeps what is written."""

    def __init__(self) -> None:
        self.out = bytearray()

    def write(self, data: bytes) -> None:
        self.out += data

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self if name == "socket" else ("127.0.0.1", 0)

    def setsockopt(self, *_: int) -> None: ...
    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None: ...
    def close(self) -> None: ...


class _Peer:
    """A client and the switch's side of one line."""

    def __init__(self, folder: Path, settings: SwitchSettings, certificates: Certificates) -> None:
        self.spent, self.heard = 0.0, 0
        self.wire, lines = _Wire(), Lines(10)
        self.secure = SecureLine(
            lambda mark: Line(self._frame, lines, settings, mark), lambda _: 1, lines, certificates, settings, Counter()
        )
        context = ssl.create_default_context(cafile=str(folder / "authority.pem"))
        context.load_cert_chain(folder / "client.pem", folder / "client.key")
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = context.wrap_bio(self._in, self._out, server_hostname="localhost")
        self.secure.connection_made(self.wire)  # type: ignore[arg-type]

    def _frame(self, line: Line, data: bytes) -> None:
        self.heard += 1
        line.send(len(data).to_bytes(2) + data)

    def pump(self) -> None:
        """What the client wrote goes to the switch, whose processor time counts; what it says goes back."""
        data = self._out.read()
        began = time.process_time()
        self.secure.data_received(data)
        self.spent += time.process_time() - began
        self._in.write(bytes(self.wire.out))
        self.wire.out.clear()

    def shake(self) -> None:
        while True:
            try:
                self.client.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.pump()
        self.pump()


def run() -> dict[str, float]:
    """µs of a message with its answer, in clear and under TLS, and µs of a handshake with a client certificate."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ensure_own(folder, ["localhost"])
        issue(folder, "client", "H1")
        certificates = Certificates(TlsFiles(folder / "switch.pem", folder / "switch.key", folder / "authority.pem"))
        settings = SwitchSettings("127.0.0.1", 0, "", {})
        peer = _Peer(folder, settings, certificates)
        peer.shake()
        peer.spent, frame = 0.0, SIZE.to_bytes(2) + bytes(SIZE)
        for _ in range(MESSAGES):
            peer.client.write(frame)
            peer.pump()
            peer.client.read(4096)
        secure = peer.spent / MESSAGES
        plain = Line(lambda line, data: line.send(len(data).to_bytes(2) + data), Lines(10), settings)
        plain.connection_made(_Wire())  # type: ignore[arg-type]
        began = time.process_time()
        for _ in range(MESSAGES):
            plain.data_received(frame)
        clear = (time.process_time() - began) / MESSAGES
        peers = [_Peer(folder, settings, certificates) for _ in range(HANDSHAKES)]
        for each in peers:
            each.shake()
        hands = sum(each.spent for each in peers) / HANDSHAKES
    return {"clear_us": 1e6 * clear, "tls_us": 1e6 * secure, "handshake_us": 1e6 * hands}


async def _main() -> None:
    for name, value in run().items():
        print(f"{name}\t{value:.1f}")


if __name__ == "__main__":
    asyncio.run(_main())
