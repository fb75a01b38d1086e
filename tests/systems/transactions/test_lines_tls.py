"""TLS on the line, both sides with certificates, against openssl's client and Python's (S4).

What is lost if this fails: somebody without a certificate speaks for a hospital, or a renewal stops payments.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from tests.support.payments import HOSPITAL, SwitchProcess

from sheka.equipment.server.line_certificates import ensure_own, issue
from sheka.foundation.refusals import Code, Refused
from sheka.office.operations.health.checks import declared, taken
from sheka.systems.transactions.actions.keep_certificates import add_certificate, end_certificate
from sheka.systems.transactions.actions.register_institution import register_institution
from sheka.systems.transactions.line_client import inside_line, secure_line
from sheka.systems.transactions.models import Institution
from sheka.systems.transactions.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = "460100000001"
OTHER = "P46010000077"
SECTION = """
[switch.tls]
certificate = "lines/switch.pem"
key = "lines/switch.key"
authority = "lines/authority.pem"
"""


class Secure:
    """A switch under TLS on a node of its own, and the certificates around it."""

    def __init__(self, node, folder: Path, bank) -> None:
        self.folder, self.bank, self.node = folder, bank, node
        self.lines = node.folder / "lines"
        ensure_own(self.lines, ["127.0.0.1", "localhost"])
        self.process = SwitchProcess(node)
        self.host, self.port = self.process.host, self.process.port

    def certificate(self, name: str, *, days: int = 30, authority: Path | None = None) -> Path:
        return issue(authority or self.lines, name, name, days=days, into=self.folder)

    def registered(self, name: str, code: str = HOSPITAL) -> Path:
        path = self.certificate(name)
        add_certificate(self.bank.actor, code=code, pem=path.read_text())
        return path

    def line(self, certificate: Path) -> ssl.SSLSocket:
        authority = self.lines / "authority.pem"
        key = certificate.with_suffix(".key")
        return secure_line(self.host, self.port, certificate=certificate, key=key, authority=authority, timeout=5.0)

    def terminal(self, certificate: Path, **named) -> Terminal:
        connect = lambda: self.line(certificate)  # noqa: E731
        return Terminal(self.host, self.port, FIRST, HOSPITAL, self.bank.mac, connect=connect, **named)

    def serves(self, certificate: Path) -> bool:
        try:
            with self.terminal(certificate) as terminal:
                return terminal.echo().approved
        except (Refused, OSError):
            return False


@pytest.fixture
def secure(bank, settings, tmp_path):
    node = settings.NODE
    path = tmp_path / "node" / "node.toml"
    path.parent.mkdir()
    text = node.path.read_text()
    shutil.copy(node.folder / "secrets.toml", path.parent / "secrets.toml")
    text = text.replace('folder = "machines/', f'address = "unix:{node.sockets}/X.sock"\nfolder = "machines/')
    for machine in node.machines:
        text = text.replace("X.sock", f"{machine.name}.sock", 1)
    path.write_text(text + SECTION)
    (path.parent / "secrets.toml").chmod(0o600)
    found = Secure(type(node).load(path), tmp_path / "clients", bank)
    yield found
    print(found.process.stop())


def until(condition, seconds: float = 6.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.mark.req("S4")
def test_only_a_certificate_of_the_terminals_own_institution_speaks(secure, bank, tmp_path):
    own = secure.registered("hospital")
    until(lambda: secure.serves(own))
    with secure.terminal(own) as terminal:
        assert terminal.purchase(bank.cards[0].number, 5).approved
        assert terminal._socket.version() == "TLSv1.3"

    stranger = tmp_path / "stranger"
    ensure_own(stranger, ["127.0.0.1"])
    register_institution(bank.actor, code=OTHER, name="海口第七药店")
    denied = {
        "wrong authority": secure.certificate("forged", authority=stranger),
        "expired": secure.certificate("old", days=-2),
        "nobody's": secure.certificate("unregistered"),
    }
    for name, certificate in denied.items():
        with pytest.raises((Refused, OSError)) as refusal, secure.terminal(certificate) as terminal:
            terminal.echo()
        assert "SWITCH_UNREACHABLE" not in str(refusal.value), name
    bare = ssl.create_default_context(cafile=str(secure.lines / "authority.pem"))
    with pytest.raises(OSError):
        _say(bare, secure)
    with socket.create_connection((secure.host, secure.port), 5) as plain:
        plain.sendall(b"\x00\x0e0800 in clear..")
        plain.settimeout(3)
        assert not _answered(plain), "a message in clear was answered"

    theirs = secure.registered("pharmacy", OTHER)
    with secure.terminal(theirs, first_stan=900) as terminal, pytest.raises(Refused) as refusal:
        until(lambda: _tried(terminal))
        terminal.purchase(bank.cards[0].number, 5)
    assert str(Code.TERMINAL_OF_OTHER_LINE.value) in str(refusal.value)
    assert bank.balance() == 100_000 - 5


def _say(context: ssl.SSLContext, secure: Secure) -> None:
    """Something over TLS; with 1.3 the refusal comes with the first answer."""
    plain = socket.create_connection((secure.host, secure.port), 5)
    with plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as line:
        line.sendall(b"\x00\x04test")
        if not line.recv(10):
            raise ConnectionResetError


def _answered(line: socket.socket) -> bool:
    """An alert of TLS (type 21) is no answer."""
    try:
        data = line.recv(100)
    except OSError:
        return False
    return bool(data) and data[0] != 21


def _tried(terminal: Terminal) -> bool:
    """Whether the registry knows the certificate by now: then the line stands."""
    try:
        terminal.echo()
    except Refused as refusal:
        return "63=" in str(refusal)
    return True


@pytest.mark.req("S4")
def test_a_certificate_that_is_ended_is_worth_nothing_on_an_open_line(secure, bank):
    own = secure.registered("hospital")
    until(lambda: secure.serves(own))
    with secure.terminal(own) as terminal:
        assert terminal.echo().approved
        row = Institution.objects.get(code=HOSPITAL).certificates.get()
        end_certificate(bank.actor, code=HOSPITAL, fingerprint=row.fingerprint, reason="lost key")

        def refused() -> bool:
            try:
                terminal.echo()
            except Refused:
                return True
            return False

        until(refused)
    until(lambda: not secure.serves(own))


@pytest.mark.req("S4")
def test_the_switch_takes_a_new_certificate_without_stopping(secure, bank):
    own = secure.registered("hospital")
    until(lambda: secure.serves(own))

    def serial() -> str:
        with secure.line(own) as line:
            return line.getpeercert()["serialNumber"]

    before = serial()
    with secure.terminal(own) as terminal:
        assert terminal.purchase(bank.cards[0].number, 1).approved
        (secure.lines / "switch.key").write_text("no key")
        time.sleep(1.2)
        assert serial() == before, "a file that cannot be used replaced the one in force"
        issue(secure.lines, "switch", "switch", hosts=["127.0.0.1"])
        until(lambda: serial() != before)
        assert terminal.purchase(bank.cards[0].number, 1).approved, "the line of before was cut"
    assert secure.serves(own)


@pytest.mark.req("S4")
def test_the_nodes_own_processes_speak_beside_tls_and_nobody_else_can(secure, bank):
    path = secure.node.inside_line
    assert (path.parent.stat().st_mode & 0o077) == 0, "others may enter the folder of the socket"
    inside = Terminal(secure.host, secure.port, FIRST, HOSPITAL, bank.mac, connect=inside_line(path))
    with inside as terminal:
        assert terminal.purchase(bank.cards[0].number, 5).approved
    forger = Terminal(secure.host, secure.port, FIRST, HOSPITAL, lambda _: bytes(4), connect=inside_line(path))
    with forger, pytest.raises(Refused):
        forger.purchase(bank.cards[0].number, 5)
    assert bank.balance() == 100_000 - 5


@pytest.mark.req("S4")
def test_openssl_agrees_and_cannot_renegotiate(secure, bank):
    own = secure.registered("hospital")
    until(lambda: secure.serves(own))
    base = ["openssl", "s_client", "-connect", f"{secure.host}:{secure.port}"]
    base += ["-CAfile", str(secure.lines / "authority.pem")]
    with_own = [*base, "-cert", str(own), "-key", str(own.with_suffix(".key"))]

    def run(command: list[str], given: bytes = b"Q\n") -> str:
        done = subprocess.run(command, input=given, capture_output=True, timeout=15, check=False)
        return (done.stdout + done.stderr).decode("utf-8", "replace")

    said = run([*with_own, "-tls1_2"])
    assert "Verify return code: 0" in said
    assert "ECDHE" in said
    assert "alert" in run([*base, "-tls1_2"]), "no certificate was asked of a client"
    assert "alert" in run([*with_own, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
    said = run([*with_own, "-tls1_2"], b"R\n" * 3)
    assert "no renegotiation" in said.lower() or "alert" in said.lower() or "error" in said.lower()
    assert secure.serves(own)


@pytest.mark.req("S4")
def test_handshakes_that_never_end_and_halves_of_records_end_and_others_are_served(secure, bank):
    own = secure.registered("hospital")
    until(lambda: secure.serves(own))
    hello = _client_hello()
    begun = []
    with secure.terminal(own) as terminal:
        for number in range(300):
            line = socket.create_connection((secure.host, secure.port))
            line.sendall((b"", hello[: len(hello) // 2], hello, b"GET / HTTP/1.1\r\n\r\n")[number % 4])
            begun.append(line)
        asked = time.monotonic()
        assert terminal.purchase(bank.cards[0].number, 1).approved
        assert time.monotonic() - asked < 2
        half = secure.line(own)
        raw = socket.socket(fileno=half.detach())  # a record whose end does not come
        raw.sendall(b"\x17\x03\x03\x01\x00" + bytes(20))
        assert terminal.purchase(bank.cards[0].number, 1).approved
        started = time.monotonic()
        for line in begun:
            assert _ended(line, 8), "a handshake without an end is waited for"
        assert time.monotonic() - started < 8
        assert _ended(raw, 13), "half a record keeps a line for ever"
        assert terminal.purchase(bank.cards[0].number, 1).approved
        for line in (*begun, raw):
            line.close()


def _client_hello() -> bytes:
    """The first flight of an honest client."""
    sent, received = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(received, sent, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


def _shaken_and_begun_at_once(secure, own):
    """A line whose last flight of the handshake and half of a record came in one piece."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(secure.lines / "authority.pem")
    context.load_cert_chain(own, own.with_suffix(".key"))
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(received, sent, server_hostname=secure.host)
    line = socket.create_connection((secure.host, secure.port), timeout=5)
    while True:
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            line.sendall(sent.read())
            received.write(line.recv(65536))
        else:
            line.sendall(sent.read() + b"\x17\x03\x03\x01\x00" + bytes(20))
            return line


def _ended(line: socket.socket, within: float) -> bool:
    line.settimeout(within)
    try:
        while line.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.req("S4")
def test_a_switch_does_not_listen_elsewhere_without_tls(bank, settings, tmp_path):
    for arguments, number in ((("--host", "0.0.0.0"), Code.LINE_NEEDS_TLS), (("--host", "::"), Code.LINE_NEEDS_TLS)):
        with pytest.raises(RuntimeError) as failure:
            SwitchProcess(None, *arguments)
        assert str(number.value) in str(failure.value)


@pytest.mark.req("S4")
def test_health_tells_when_certificates_end(secure, bank, settings):
    settings.NODE = type(settings.NODE).load(secure.lines.parent / "node.toml")
    path = secure.certificate("soon", days=5)
    add_certificate(bank.actor, code=HOSPITAL, pem=path.read_text())
    checkers = [one for one in declared() if one[0] == "line_certificates"]
    found = {check.name: check.state for check in taken(checkers)}
    assert found["line_certificate_switch"] == "good"
    assert found[f"line_certificate_{HOSPITAL}"] == "wait"
    issue(secure.lines, "switch", "switch", hosts=["127.0.0.1"], days=-3)
    assert {check.name: check.state for check in taken(checkers)}["line_certificate_switch"] == "stop"


@pytest.mark.req("S4")
def test_a_line_that_is_silent_after_its_handshake_is_no_message_that_was_begun(secure, bank):
    """A till that connects in the morning and waits for its first customer was cut off after ten seconds."""
    own = secure.registered("hospital")
    other = SwitchProcess(secure.node, "--limit", "partial_message=0.5")
    try:
        secure.host, secure.port = other.host, other.port
        until(lambda: secure.serves(own))
        with secure.terminal(own) as terminal, secure.terminal(own) as half:
            terminal._line()
            half._line().sendall(b"\x00")
            with _shaken_and_begun_at_once(secure, own) as raw:
                assert _ended(raw, 5), "it began with the last piece of the handshake"
            time.sleep(1.0)
            assert terminal.echo().approved
            with pytest.raises(Refused):
                half.echo()  # this one had begun
    finally:
        print(other.stop())
