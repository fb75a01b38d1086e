"""A terminal with the sample card in it: what the chip tests talk through."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sheka.foundation.chip.apdu import Command, Response
from sheka.foundation.chip.authentication import external_cryptogram, external_data
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.declarations import FileKind
from sheka.foundation.chip.profile import CardProfile, load_profile
from sheka.foundation.chip.sample import SampleKeys, sample_card
from sheka.foundation.chip.secure_messaging import protect
from sheka.foundation.chip.steps import exchange
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.mac import command_mac

PIN = "654321"


class Terminal:
    """A reader that knows the sample card's keys."""

    def __init__(self, card: VirtualCard, algorithm: Algorithm, profile: CardProfile) -> None:
        self.card = card
        self.algorithm = algorithm
        self.profile = profile
        self.keys = SampleKeys(algorithm)
        self.atr = card.power_on()

    def reset(self) -> None:
        self.atr = self.card.power_on()

    def raw(self, apdu: str | bytes | Command) -> Response:
        """One APDU, one answer, nothing followed up."""
        if isinstance(apdu, Command):
            apdu = apdu.to_bytes()
        return Response.parse(self.card.transmit(bytes.fromhex(apdu) if isinstance(apdu, str) else apdu))

    def sw(self, apdu: str | bytes | Command) -> str:
        return f"{self.raw(apdu).status:04X}"

    def ask(self, command: Command) -> Response:
        """One command with GET RESPONSE and right Le."""
        return exchange(self.card.transmit, command)

    def select(self, path: str) -> str:
        """`DF01` or `DF01/EF05`; the status of the last SELECT."""
        name, _, file = path.partition("/")
        application = self.profile.application(name)
        status = self.sw(Command(0x00, 0xA4, 0x00, 0x0C, application.fid))
        return self.sw(Command(0x00, 0xA4, 0x02, 0x0C, bytes.fromhex(file))) if file else status

    def challenge(self, length: int = 8) -> bytes:
        return self.raw(Command(0x00, 0x84, 0, 0, b"", length)).data

    def authenticate(self, name: str, *, version: int = 0, key: bytes | None = None) -> str:
        """EXTERNAL AUTHENTICATE with a key of the profile, `key` in its place if given."""
        declared = self.profile.key(name)
        challenge = self.challenge()
        value = self.keys.card_key(name, version or 1) if key is None else key
        data = external_data(external_cryptogram(self.algorithm, value, challenge), challenge)
        return self.sw(Command(0x00, 0x82, version, declared.key_id, data))

    def mac_of(self, name: str) -> Callable[[bytes, bytes], bytes]:
        value = self.keys.card_key(name)
        return lambda message, iv: command_mac(self.algorithm, value, message, iv)

    def secured(self, command: Command, name: str) -> Command:
        """The command with a MAC under a key of the card."""
        return protect(command, self.algorithm, self.challenge(4), self.mac_of(name))

    def use_pin(self, pin: str = PIN) -> None:
        """Verify; the initial PIN is changed first if that is still to be done."""
        if self.select("SSSE") != "9000":
            raise AssertionError("no SSSE")
        self.raw("805E010007123456FF" + PIN)
        assert self.sw("0020000003" + pin) == "9000"

    def read_first(self, path: str) -> str:
        """The status of reading the first record or byte of a file, whose application must be selected."""
        file = self.profile.file(path)
        assert self.sw(Command(0x00, 0xA4, 0x02, 0x0C, file.fid)) == "9000"
        if file.kind is FileKind.TRANSPARENT:
            return self.sw("00B0000001")
        return self.sw("00B2010400")


@pytest.fixture(scope="session")
def profile() -> CardProfile:
    return load_profile()


@pytest.fixture(params=list(Algorithm), ids=lambda algorithm: algorithm.name)
def algorithm(request: pytest.FixtureRequest) -> Algorithm:
    found: Algorithm = request.param
    return found


@pytest.fixture
def insert(profile: CardProfile, algorithm: Algorithm) -> Iterator[Callable[..., Terminal]]:
    """Make a sample card (arguments of `sample_card`) and put it in a terminal."""
    terminals: list[Terminal] = []

    def make(**wishes: object) -> Terminal:
        card = sample_card(algorithm=algorithm, **wishes)  # type: ignore[arg-type]
        terminals.append(Terminal(card, algorithm, profile))
        return terminals[-1]

    yield make
    for terminal in terminals:
        terminal.card.power_off()


@pytest.fixture
def terminal(insert: Callable[..., Terminal]) -> Terminal:
    """The sample card as handed out, in a terminal."""
    return insert()
